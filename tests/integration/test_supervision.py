import os
import signal
import socket
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest

from flows.supervision import NotRunning, Program, Supervisor, refuse_taken_port
from flows.warden import Warden, stand_by

WAITS = "import time; time.sleep(60)"
LEAVES_A_CHILD = """
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


@pytest.fixture
def supervisor(tmp_path) -> Supervisor:
    """Runs programs in this environment, with their output below the test's folder."""
    return Supervisor(os.environ, tmp_path / "logs")


def ended(pid: int) -> bool:
    """Whether a process ends within the moment that the system takes over a kill."""
    status = Path(f"/proc/{pid}/stat")
    give_up_at = time.monotonic() + 5
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def test_a_program_that_ends_by_itself_ends_all_and_its_last_words_are_told(supervisor, tmp_path):
    pid = tmp_path / "pid"
    writes = f"import os, pathlib; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); {WAITS}"
    programs = [
        Program("the one that stays", ["-c", writes]),
        Program(
            "the one that leaves", ["-c", f"{WAITS.replace('60', '1')}; raise SystemExit('no')"]
        ),
    ]

    with pytest.raises(NotRunning) as caught:
        supervisor.run(programs, starting=lambda _: None, ready=lambda: None)

    assert str(caught.value) == "the one that leaves ended by itself with code 1:\n  no"
    assert ended(int(pid.read_text()))


def test_a_wish_to_stop_is_kept_by_what_the_programs_started_too(supervisor, tmp_path):
    pid = tmp_path / "pid"

    def stop_once_started():
        while not (pid.exists() and pid.read_text()):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    program = Program("parent", ["-c", LEAVES_A_CHILD, str(pid)])
    supervisor.run([program], starting=lambda _: None, ready=stop_once_started)

    assert ended(int(pid.read_text()))


def test_the_signals_are_given_back(supervisor):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    supervisor.run([], starting=lambda _: None, ready=lambda: os.kill(os.getpid(), signal.SIGINT))

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_program_is_ready_once_it_answers(supervisor):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serves = ["-m", "http.server", str(port), "--bind", "127.0.0.1"]
    program = Program("web", serves, url=f"http://127.0.0.1:{port}/no-such-page")
    seen = []

    def ready():
        seen.append("ready")
        os.kill(os.getpid(), signal.SIGTERM)

    supervisor.run([program], starting=lambda each: seen.append(each.name), ready=ready)

    assert seen == ["web", "ready"]


def test_a_free_port_is_not_refused_and_a_taken_one_is():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NotRunning, match=rf"the inbox cannot listen on 127.0.0.1:{port} \("):
            refuse_taken_port("127.0.0.1", port, what="the inbox", instead="choose another")

    refuse_taken_port("127.0.0.1", port, what="the inbox", instead="choose another")


def test_each_program_runs_under_this_python(supervisor, tmp_path):
    tells = "import sys; print(sys.executable); raise SystemExit(3)"

    with pytest.raises(NotRunning, match="ended by itself with code 3"):
        supervisor.run(
            [Program("teller", ["-c", tells])], starting=lambda _: None, ready=lambda: None
        )

    assert (tmp_path / "logs" / "teller.log").read_text().strip() == sys.executable


KILLED = """
import os, sys
from pathlib import Path
from flows.supervision import Program, Supervisor
folder = Path(sys.argv[1])
program = Program("parent", ["-c", sys.argv[2], str(folder / "child.pid")])
Supervisor(os.environ, folder / "logs").run(
    [program], starting=lambda _: None, ready=lambda: (folder / "ready").touch()
)
"""


def waited_for(file: Path) -> None:
    give_up_at = time.monotonic() + 30
    while not file.exists() or (file.suffix == ".pid" and not file.read_text()):
        assert time.monotonic() < give_up_at, f"{file} never came"
        time.sleep(0.02)


def test_what_a_killed_supervisor_leaves_behind_is_stopped_all_the_same(tmp_path):
    supervising = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), LEAVES_A_CHILD])
    waited_for(tmp_path / "ready")
    waited_for(tmp_path / "child.pid")

    supervising.kill()
    supervising.wait()

    assert ended(int((tmp_path / "child.pid").read_text()))


def test_a_warden_to_whom_goodbye_was_said_stops_nothing():
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                               start_new_session=True)  # fmt: skip
    with Warden() as warden:
        warden.watch(program.pid)

    assert program.poll() is None
    program.kill()
    program.wait()


def test_a_warden_kills_what_does_not_stop_by_itself():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = f"{deaf}; print('up', flush=True); time.sleep(60)"
    program = subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True
    )
    with program:
        program.stdout.readline()
        stand_by(StringIO(f"{program.pid}\n"), grace=0.2)
        assert program.wait(5) == -signal.SIGKILL
