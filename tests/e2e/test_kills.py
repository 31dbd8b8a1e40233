"""A share of the kill matrix: real processes, real SIGKILL, and Slack's own list as the judge."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 21
"""One at each point; `make kill-matrix` crosses them with every fault."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_told_twice_when_processes_are_killed(database):
    asked = ["--kills", str(KILLS), "--database", database, "--seed", "7", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *asked],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    found = json.loads(done.stdout or "{}")
    assert (done.returncode, found.get("words"), found.get("broken")) == (0, [], []), done.stderr
    assert found["kills"] == KILLS
