"""The demo as the reader runs it: one command, six months, a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600
"""Seconds it may take on a machine with other things to do; about 45 on two idle cores."""


def followthrough(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command in a folder, with a token that would reach real people if it were used."""
    ours = ("FOLLOWTHROUGH_", "PREFECT_", "SLACK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    told = {"COLUMNS": "100", "PYTHONPATH": str(ROOT), "SLACK_BOT_TOKEN": "xoxb-never-to-be-used"}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *words],
        cwd=folder,
        env=kept | told,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    return folder, followthrough("demo", "larkfield", "--json", folder=folder)


def test_the_demo_ends_with_the_whole_loop_and_the_estimate_beside_the_truth(demo):
    _, ended = demo
    found = json.loads(ended.stdout)

    counted = {figure["name"]: figure["count"] for figure in found["figures"]}
    assert ended.returncode == 0, ended.stderr
    assert counted["evaluated"] > 400_000
    assert counted["told"] == counted["opened"] > 1_000
    assert counted["opened"] > counted["answered"] > counted["in time"] > counted["overridden"] > 0
    assert counted["outcome known"] > 500
    assert counted["held out"] > 200
    assert counted["suppressed"] > 0
    assert 0.05 < found["effect"]["truth"] < 0.2
    assert found["effect"]["lower"] < found["effect"]["found"] < found["effect"]["upper"]
    assert found["ledger"]["breach"] is None


def test_nothing_is_said_that_is_not_the_demos_own(demo):
    _, ended = demo

    noise = [line for line in ended.stderr.splitlines() if line and not line.startswith("week ")]

    assert noise == []


def test_what_it_leaves_behind_is_an_ordinary_deployment(demo):
    folder, ended = demo
    found = json.loads(ended.stdout)
    where = ("--workspace", "larkfield/workspace", "--home", "larkfield", "--json")

    verified = json.loads(followthrough("verify", *where, folder=folder).stdout)
    waiting = json.loads(followthrough("cases", *where, folder=folder).stdout)

    assert verified["head"] == found["ledger"]["head"]
    assert waiting["cases"]
    assert (folder / "larkfield" / "reports").is_dir()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")

    ended = followthrough("demo", ".", folder=tmp_path)

    assert ended.returncode == 2
    assert "holds no earlier demo" in " ".join(ended.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
