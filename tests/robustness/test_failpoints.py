"""Failpoints end a process where they are reached, and nothing else does."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.ops.failpoints import Failpoint, reach

SERVICE = Path(__file__).parents[2] / "service"
ARMED = """
from service.ops import failpoints
failpoints.arm("BEFORE_COMMIT", after_seconds={after_seconds})
failpoints.reach(failpoints.Failpoint.AFTER_COMMIT)
print("came by another", flush=True)
failpoints.reach(failpoints.Failpoint.BEFORE_COMMIT)
print("went on", flush=True)
"""


def run(after_seconds):
    program = ARMED.format(after_seconds=after_seconds)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_an_armed_failpoint_ends_the_process_as_a_crash_would():
    done = run(0.0)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "came by another\n"


def test_a_failpoint_waits_for_its_time():
    done = run(3600.0)
    assert done.returncode == 0
    assert done.stdout == "came by another\nwent on\n"


@pytest.mark.parametrize("failpoint", Failpoint)
def test_a_failpoint_that_is_not_armed_does_nothing(failpoint):
    reach(failpoint)


@pytest.mark.parametrize("failpoint", Failpoint)
def test_each_failpoint_stands_at_one_place_of_the_service(failpoint):
    places = [
        path
        for path in SERVICE.rglob("*.py")
        for _ in re.finditer(rf"reach\(Failpoint\.{failpoint.name}\)", path.read_text())
    ]
    assert len(places) == 1


def test_nothing_in_the_service_arms_a_failpoint():
    assert not [
        path
        for path in SERVICE.rglob("*.py")
        if path.name != "failpoints.py" and re.search(r"\barm\(", path.read_text())
    ]
