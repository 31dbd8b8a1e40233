"""Several programs run as one: started in order, watched, and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from decisions.errors import DecisionLayerError
from flows.warden import GRACE, Warden

PATIENCE = 120.0
"""Seconds a program may take to answer for the first time; a loaded machine is slow."""
_LOOK_EVERY = 0.2


class NotRunning(DecisionLayerError):
    """One of the programs cannot run, or has ended by itself."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run.

    Attributes:
        name: What a person calls it.
        words: What Python is started with, such as ``-m inbox``.
        url: What answers over HTTP once it is up; None if nothing does.
    """

    name: str
    words: Sequence[str]
    url: str | None = None


class Supervisor:
    """Starts programs, and stops all of them when one ends or we are asked to.

    Args:
        environment: The programs' environment.
        logs: Where each program's output goes, a file each.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._asked_to_stop = threading.Event()

    def run(
        self,
        programs: Iterable[Program],
        *,
        starting: Callable[[Program], object],
        ready: Callable[[], object],
    ) -> None:
        """Start the programs in their order, and wait for Ctrl-C or SIGTERM; then stop them.

        Args:
            programs: What to run; each is started once the one before it answers.
            starting: Called before each is started.
            ready: Called once the last one answers.

        Raises:
            NotRunning: A program has ended by itself, or does not answer in time.
        """
        before = {each: signal.signal(each, self._ask) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            with Warden() as warden:
                try:
                    self._watch(programs, warden, starting=starting, ready=ready)
                finally:
                    self._stop()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _watch(
        self,
        programs: Iterable[Program],
        warden: Warden,
        *,
        starting: Callable[[Program], object],
        ready: Callable[[], object],
    ) -> None:
        for program in programs:
            if not self._asked_to_stop.is_set():
                starting(program)
                self._start(program, warden)
        if not self._asked_to_stop.is_set():
            ready()
        while not self._asked_to_stop.wait(_LOOK_EVERY):
            self._look()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop.set()

    def _start(self, program: Program, warden: Warden) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self._log(program.name).open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we stop the rest in order.
            self._running[program.name] = subprocess.Popen(  # noqa: S603  programs of ours
                [sys.executable, *program.words],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        warden.watch(self._running[program.name].pid)
        give_up_at = time.monotonic() + PATIENCE
        while program.url and not self._asked_to_stop.is_set() and not _answers(program.url):
            self._look()
            if time.monotonic() > give_up_at:
                raise NotRunning(
                    f"{program.name} did not answer at {program.url} within {PATIENCE:.0f} s; "
                    f"see {self._log(program.name)}"
                )
            self._asked_to_stop.wait(_LOOK_EVERY)

    def _stop(self) -> None:
        """Stop every program, the last started first; what does not stop in time is killed."""
        for running in reversed(self._running.values()):
            running.terminate()
            try:
                running.wait(GRACE)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            with suppress(ProcessLookupError):  # what it started itself and left behind
                os.killpg(running.pid, signal.SIGKILL)
        self._running.clear()

    def _look(self) -> None:
        for name, running in self._running.items():
            if (code := running.poll()) is not None:
                last = "".join(f"\n  {line}" for line in _last_lines(self._log(name)))
                raise NotRunning(f"{name} ended by itself with code {code}:{last}")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-')}.log"


def refuse_taken_port(host: str, port: int, *, what: str, instead: str) -> None:
    """See that nothing listens on the port yet.

    Args:
        host: The address to listen on.
        port: The port to listen on.
        what: Who wants it.
        instead: What to do when it is taken.

    Raises:
        NotRunning: Something does, or the address is not one of this machine's.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise NotRunning(
            f"{what} cannot listen on {host}:{port} ({error.strerror}); {instead}"
        ) from error


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  an http address of ours
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _last_lines(log: Path, most: int = 8) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-most:]
