"""A demand trace played against a server, person by person, and checked when it is over."""

from loadtest.replay.command import FindServer, register, replay_command
from loadtest.replay.options import ReplayOptions
from loadtest.replay.report import Report
from loadtest.replay.run import run_replay
from loadtest.replay.trace import DamagedTrace

__all__ = [
    "DamagedTrace",
    "FindServer",
    "ReplayOptions",
    "Report",
    "register",
    "replay_command",
    "run_replay",
]
