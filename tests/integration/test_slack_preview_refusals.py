"""What keeps the pretended Slack from starting, said so that whoever reads it can mend it."""

import socket
import subprocess
import sys

import pytest


def told(*arguments):
    command = [sys.executable, "-m", "inbox.slack_preview", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@pytest.mark.parametrize("option", ["--port", "--inbox-port"])
def test_a_port_that_is_taken_is_named_before_anything_is_touched(tmp_path, taken, option):
    other = {"--port": "--inbox-port", "--inbox-port": "--port"}[option]

    found = told(option, taken, other, "0", "--folder", str(tmp_path / "preview"))

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"{option} {taken} cannot be used")
    assert not (tmp_path / "preview").exists()


def test_a_folder_of_somebody_elses_is_left_as_it_is(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Mia")

    found = told("--port", "0", "--inbox-port", "0", "--folder", str(tmp_path))

    assert found.returncode == 2
    assert "name another folder" in found.stderr
    assert "Traceback" not in found.stderr
    assert (tmp_path / "letter.txt").read_text() == "Dear Mia"
