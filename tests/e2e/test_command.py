"""The command line as processes of its own: cron, pipes, Prefect, and one machine that serves."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0
"""Seconds that a program may take on a machine with other things to do."""


def environment(**more: str) -> dict[str, str]:
    quiet = {"DO_NOT_TRACK": "1", "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    ours = ("FOLLOWTHROUGH_", "PREFECT_", "SLACK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | quiet | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(url: str, body: object = None) -> Any:
    """Return the JSON that the address answers, or None while nobody does."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError):
        return None


def until(found: Callable[[], Any], what: str) -> Any:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        if answer := found():
            return answer
        time.sleep(0.5)
    pytest.fail(f"{what} did not happen within {PATIENCE:.0f} s")


def living_in(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


DECISION = "late-invoice-call"


class Terminal:
    """Runs the program in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *words],
            cwd=self.folder,
            env=environment(**more),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture
def terminal(tmp_path) -> Terminal:
    """A terminal in a new workspace."""
    made = Terminal(tmp_path).run("init", "mine")
    assert made.returncode == 0, made.stderr
    return Terminal(tmp_path / "mine")


@pytest.fixture
def signed(terminal) -> Terminal:
    """A terminal in a new workspace whose decision is live."""
    for words in (
        ["release", DECISION, "--by", "lee.park"],
        ["sign", DECISION, "--as", "dana.reyes"],
    ):
        done = terminal.run(*words)
        assert done.returncode == 0, done.stderr
    return terminal


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """A function that starts a program in a session of its own; it is gone when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def starting(*words: str, cwd: Path, **more: str) -> "subprocess.Popen[str]":
        with (tmp_path / f"program-{len(started)}.log").open("w") as log:
            program = subprocess.Popen(
                [sys.executable, *words],
                cwd=cwd,
                env=environment(**more),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        started.append(program)
        return program

    yield starting
    for program in reversed(started):
        program.stdout.close()
        if program.poll() is None:
            program.terminate()
            try:
                program.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()


def test_the_installed_program_is_this_one():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, name = scripts["followthrough"].partition(":")

    assert callable(getattr(import_module(module), name))


def test_a_first_case_is_answered_within_minutes(terminal):
    began = time.monotonic()
    release, sign = (
        ["release", DECISION, "--by", "lee.park"],
        ["sign", DECISION, "--as", "dana.reyes"],
    )
    for words in (["check"], release, sign, ["run"], ["cases"], ["show", "LIC-1"]):
        done = terminal.run(*words)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr

    answered = terminal.run("acknowledge", "LIC-1", FOLLOWTHROUGH_PERSON="mia.chen")

    assert answered.stdout.startswith("LIC-1 is yours; complete it by ")
    assert time.monotonic() - began < PATIENCE


def test_a_reader_who_has_had_enough_is_no_error(terminal):
    terminal.run("run")
    command = f"{sys.executable} -m flows.cli cases --json | head -c 1; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", command], cwd=terminal.folder, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.stdout == "{0\n"
    assert "BrokenPipeError" not in done.stderr


def test_a_ledger_that_another_program_holds_is_named_and_left_as_it_was(signed):
    signed.run("run")
    ledger = signed.folder / ".followthrough" / "ledger.db"

    with sqlite3.connect(ledger, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        done = signed.run("acknowledge", "LIC-1", "--as", "mia.chen")
        holder.execute("ROLLBACK")

    assert done.returncode == 1
    assert "was locked by another program" in " ".join(done.stderr.split())
    assert signed.run("acknowledge", "LIC-1", "--as", "mia.chen").returncode == 0


def test_a_run_is_recorded_by_prefect_where_it_is_asked_for(signed, tmp_path):
    done = signed.run("run", "--flow", "--json", PREFECT_HOME=str(tmp_path / "prefect"))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["delivered"] == {"sent": 7}
    assert done.stderr.count("recorded as flow run") == 2


def test_a_prefect_that_is_away_is_named_and_nothing_is_done(terminal, tmp_path):
    away = f"http://127.0.0.1:{free_port()}/api"

    done = terminal.run("run", PREFECT_API_URL=away, PREFECT_HOME=str(tmp_path / "prefect"))

    assert done.returncode == 1
    assert "Prefect does not answer at" in done.stderr
    assert "no run" not in done.stdout
    assert json.loads(terminal.run("runs", "--json").stdout) == {"runs": []}


def test_one_machine_serves_keeps_the_schedules_and_stops_without_a_trace(terminal, start):
    port, prefect = free_port(), free_port()
    words = ["-m", "flows.cli", "serve", "--json", "--port", str(port)]

    program = start(*words, cwd=terminal.folder, PREFECT_SERVER_API_PORT=str(prefect))
    told = json.loads(document(program))
    sessions = {os.getsid(child) for child in children(program.pid)}
    api = f"{told['prefect']}/api"
    until(lambda: dispatched(api), "a scheduled run")
    program.send_signal(signal.SIGTERM)
    ended = program.wait(PATIENCE)

    assert ended == 0
    assert told["inbox"] == f"http://127.0.0.1:{port}"
    assert {each["deployment"] for each in told["schedules"]} >= {"dispatch/every-minute"}
    assert len(sessions) == 4  # server, schedules, inbox, and the warden over them
    until(lambda: not any(living_in(session) for session in sessions), "the end of every program")


def test_ctrl_c_while_starting_leaves_nothing_behind(terminal, start):
    words = ["-m", "flows.cli", "serve", "--port", str(free_port())]

    program = start(*words, cwd=terminal.folder, PREFECT_SERVER_API_PORT=str(free_port()))
    server = until(lambda: watched(program.pid), "the first program")[0]
    program.send_signal(signal.SIGINT)

    assert program.wait(PATIENCE) == 0
    until(lambda: not living_in(server), "the end of the first program")


def test_the_inbox_alone_needs_no_prefect(terminal, start):
    port = free_port()

    program = start(
        "-m", "flows.cli", "serve", "--no-schedules", "--json", "--port", str(port),
        cwd=terminal.folder,
    )  # fmt: skip
    told = json.loads(document(program))

    assert (told["prefect"], told["schedules"]) == (None, [])
    health = asked(f"{told['inbox']}/healthz")
    assert (health["ok"], health["ledger"], health["late"]) == (True, "reachable", [])
    assert len(watched(program.pid)) == 1


def test_a_port_that_is_taken_is_named_before_anything_starts(terminal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = terminal.run("serve", "--no-schedules", "--port", str(port))

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in " ".join(done.stderr.split())
    assert "--port" in done.stderr
    assert not (terminal.folder / ".followthrough" / "logs").exists()


def test_the_deployments_of_prefect_yaml_run_on_a_real_server(tmp_path, start):
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    prefect = {
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "FOLLOWTHROUGH_HOME": str(tmp_path / "home"),
        "PWD": str(ROOT),
    }
    start("-m", "prefect", "server", "start", "--port", str(port), cwd=ROOT, **prefect)
    until(lambda: asked(f"{api}/health"), "Prefect's server")

    run_prefect("work-pool", "create", "--type", "process", "followthrough", **prefect)
    run_prefect("--no-prompt", "deploy", "--all", **prefect)
    scheduled = until(lambda: deployments_with_runs(api, 4), "a scheduled run of every deployment")
    start(
        "-m", "prefect", "worker", "start", "--pool", "followthrough", cwd=tmp_path, **prefect
    )  # fmt: skip
    until(lambda: dispatched(api), "a run by a worker that started elsewhere")

    assert scheduled == {
        "decide/churn-save-call", "dispatch/every-minute", "observe/daily", "report/monthly",
    }  # fmt: skip


def document(program: "subprocess.Popen[str]") -> str:
    """Return the JSON document that a program prints before it goes on."""
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        line = program.stdout.readline()
        assert line, f"ended with {program.wait()} before it was ready"
        lines.append(line)
    return "".join(lines)


def children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in listed]


def watched(parent: int) -> list[int]:
    """Return a supervisor's programs: its children without the warden."""
    return [
        child
        for child in children(parent)
        if b"flows.warden" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def dispatched(api: str) -> list[Any] | None:
    """Return the runs of dispatch that a schedule started and that have ended well."""
    wanted = {
        "flows": {"name": {"any_": ["dispatch"]}},
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
    }
    found = asked(f"{api}/flow_runs/filter", wanted) or []
    return [run for run in found if run["auto_scheduled"]]


def deployments_with_runs(api: str, most: int) -> set[str] | None:
    """Return the deployments for which a run is scheduled, once there are as many as wanted."""
    runs = asked(f"{api}/flow_runs/filter", {}) or []
    flows = {flow["id"]: flow["name"] for flow in asked(f"{api}/flows/filter", {}) or []}
    known = asked(f"{api}/deployments/filter", {}) or []
    due = {run["deployment_id"] for run in runs if run["state_type"] == "SCHEDULED"}
    found = {f"{flows[each['flow_id']]}/{each['name']}" for each in known if each["id"] in due}
    return found if len(found) == most else None


def run_prefect(*words: str, **more: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
