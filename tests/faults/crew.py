"""Processes that work on one ledger side by side; some of them are to be killed."""

import os
import signal
import time
import traceback
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path

from tests.faults.place import opened
from tests.faults.points import Mine

FORK = get_context("forkserver")
"""Forked off a process that has imported everything and run nothing: a killed one costs little."""
FORK.set_forkserver_preload(["tests.faults.crew", "tests.faults.matrix", "__main__"])
PATIENCE = 60.0


class Worker:
    """A process that does what it is told, one command after another.

    Args:
        place: The ledger's address, the pretended Slack's, and the clock.
        point: Where it is to be killed; None for one that lives.
        by: The signal that it is to send itself there.
    """

    def __init__(self, place, point=None, by=signal.SIGKILL):
        self._by = by
        self._mine, theirs = FORK.Pipe()
        self.process = FORK.Process(target=_work, args=(theirs, place, point, by), daemon=True)
        self.process.start()
        theirs.close()

    def start(self, command, *args):
        """Tell it to begin."""
        self._mine.send((command, args))

    def ended(self):
        """Wait until it has done what it was told; return whether it lives.

        Raises:
            AssertionError: It raised something, or is still at it after a minute.
        """
        ready = wait([self._mine, self.process.sentinel], PATIENCE)
        assert ready, "a worker does not come to an end"
        try:
            fault = self._mine.recv() if self._mine.poll() else "killed"
        except (EOFError, ConnectionResetError):
            fault = "killed"
        if fault == "killed":
            self.process.join(PATIENCE)
            assert self.process.exitcode == -self._by, self.process.exitcode
            return False
        assert fault is None, fault
        return True

    def does(self, command, *args):
        """Tell it something and wait until it is done."""
        self.start(command, *args)
        return self.ended()

    def sleeps(self):
        """Wait until it has stopped itself."""
        status = Path(f"/proc/{self.process.pid}/stat")
        give_up_at = time.monotonic() + PATIENCE
        while status.read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < give_up_at, "a worker does not come to its point"
            time.sleep(0.01)

    def wakes(self):
        """Let it go on where it stopped, and wait until it is done."""
        os.kill(self.process.pid, signal.SIGCONT)
        return self.ended()

    def stop(self):
        """End it."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self._mine.close()


def _work(orders, place, point, by):
    with ExitStack() as stack:
        company = opened(*place, stack)
        if point is not None:
            Mine(company, point, by)
        while True:
            try:
                command, args = orders.recv()
            except EOFError:
                os._exit(0)
            fault = None
            try:
                getattr(company, command)(*args)
            except Exception:  # noqa: BLE001  whatever it is, the parent process is told
                fault = traceback.format_exc()
            orders.send(fault)
