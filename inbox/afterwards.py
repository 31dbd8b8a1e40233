"""What follows answers: done once Slack has been answered, and after others' answers.

One thread does it, one thing after the other. While somebody waits for an answer of ours it waits
too, and what is asked for again before it was done is done once: so a morning on which everybody
presses buttons costs no more than can be done beside it. What is left undone when the inbox ends,
the next sweep does.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

_LOG = logging.getLogger(__name__)

COURTESY = timedelta(milliseconds=250)
"""For how long each thing lets answers go first; under a load without end it is done too."""


class Afterwards:
    """Does what follows answers.

    Args:
        lingers: After so long without work the thread ends; the next work starts another.
    """

    def __init__(self, *, lingers: timedelta = timedelta(seconds=5)) -> None:
        self._lingers = lingers.total_seconds()
        self._work: OrderedDict[str, Callable[[], None]] = OrderedDict()
        self._answering = 0
        self._is_running = False
        self._changed = threading.Condition()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let whatever follows wait for the length of the block: somebody waits for an answer."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    def add(self, work: Mapping[str, Callable[[], None]]) -> None:
        """See that something is done soon.

        Args:
            work: What to do, by what it does; what is still to be done by the same name is done
                once, the newer way.
        """
        with self._changed:
            self._work.update(work)
            self._changed.notify_all()
            if self._work and not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="afterwards", daemon=True).start()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:  # noqa: BLE001  the next thing is to be done all the same
                _LOG.exception("what follows an answer was not done")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._work, self._lingers):
                self._is_running = False
                return None
            self._changed.wait_for(lambda: not self._answering, COURTESY.total_seconds())
            _, work = self._work.popitem(last=False)
            return work
