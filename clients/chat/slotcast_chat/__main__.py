"""`slotcast-chat`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from slotcast_chat.benchmark import command as benchmark
from slotcast_chat.server import command as server


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command."""
    sys.exit(_main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="slotcast-chat", description="A chat that books with Slotcast, and its benchmark."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    measured = commands.add_parser(
        "benchmark", help="measure an assistant by scripted conversations"
    )
    benchmark.add_arguments(measured)
    served = commands.add_parser("serve", help="serve the chat page, to this machine")
    server.add_arguments(served)
    options = parser.parse_args(arguments)
    return server.run(options) if options.command == "serve" else benchmark.run(options)


if __name__ == "__main__":
    main()
