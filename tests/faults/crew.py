"""Processes that work on one ledger side by side; some of them are to be killed."""

import os
import signal
import traceback
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import wait

from tests.faults.place import opened
from tests.faults.points import Mine

_FORK = get_context("fork")
"""Forked, so that the imports were paid for once: a killed process costs milliseconds."""
PATIENCE = 60.0


class Worker:
    """A process that does what it is told, one command after another.

    Args:
        place: The ledger's address, the pretended Slack's, and the clock.
        point: Where it is to be killed; None for one that lives.
    """

    def __init__(self, place, point=None):
        self._mine, theirs = _FORK.Pipe()
        self.process = _FORK.Process(target=_work, args=(theirs, place, point), daemon=True)
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
            assert self.process.exitcode == -signal.SIGKILL, self.process.exitcode
            return False
        assert fault is None, fault
        return True

    def does(self, command, *args):
        """Tell it something and wait until it is done."""
        self.start(command, *args)
        return self.ended()

    def stop(self):
        """End it."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self._mine.close()


def _work(orders, place, point):
    with ExitStack() as stack:
        company = opened(*place, stack)
        if point is not None:
            Mine(company, point)
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
