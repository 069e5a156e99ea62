"""The story that the README tells by curl, run as it is written there."""

import asyncio
import re
from pathlib import Path

from service.cli.connection import Access, connect
from service.cli.running import read_operator_key
from service.cli.seed import seed
from service.cli.supervisor import running_server
from service.settings import Settings

README = Path(__file__).resolve().parents[2] / "README.md"
DAY = "+3 days"
ADDRESS, KEY_FILE = "http://127.0.0.1:7430", "~/.local/share/slotcast/demo/operator_key"


def the_story(address, folder, day):
    """Return the README's commands, for a server of the test's; one event of the watch will do."""
    (story,) = re.findall(r"```sh\n(.*?)```", README.read_text(), flags=re.DOTALL)
    commands = re.sub(r"#.*$", "", story, flags=re.MULTILINE).rstrip()
    assert ADDRESS in commands
    assert KEY_FILE in commands
    assert DAY in commands
    commands = commands.replace(ADDRESS, address).replace(KEY_FILE, str(folder / "operator_key"))
    commands = commands.replace(DAY, day)
    quiet = 'curl() { command curl --silent "$@"; echo; }'
    return f"set -e\n{quiet}\n{commands} | grep -m1 ^data:"


async def tell(story):
    """Return the exit code, and the lines that are not empty."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", story, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode, list(filter(None, output.decode().splitlines()))


async def test_curl_lists_holds_books_reads_cancels_and_watches_and_does_so_again_the_next_day(
    database_url, tmp_path
):
    settings = Settings(
        data_folder=tmp_path,
        database_url=database_url,
        listen_address="127.0.0.1:0",
        gateway_port=0,
        log_level="WARNING",
    )
    async with running_server(settings, lambda text: None) as server:
        api_key = read_operator_key(tmp_path)
        assert api_key is not None
        async with connect(Access(target=server.target, api_key=api_key), "demo") as client:
            await seed(client, "demo")
        told = [await tell(the_story(server.gateway, tmp_path, day)) for day in (DAY, "+4 days")]

    for code, (listed, held, read, cancelled, event) in told:
        assert code == 0
        assert '"slots":[{' in listed
        assert '"hold":{' in held
        assert "BOOKING_STATUS_CONFIRMED" in read
        assert "BOOKING_STATUS_CANCELLED" in cancelled
        assert "snapshotChunk" in event
