"""How often somebody may try to prove who they are."""

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from time import monotonic

MOST_KNOWN = 10_000
"""Addresses that are remembered; beyond, the one that tried longest ago is forgotten."""


class Patience:
    """Counts the tries of each address in this process.

    Args:
        most: How many tries are allowed within the span.
        within: The span.
        now: Seconds that only grow.
    """

    def __init__(self, most: int, within: timedelta, now: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._within = within.total_seconds()
        self._now = now
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str) -> float:
        """Count one try, and return for how many seconds it is too early; 0 if it may go on."""
        with self._lock:
            now = self._now()
            tries = self._tries.setdefault(address, deque())
            self._tries.move_to_end(address)
            if len(self._tries) > MOST_KNOWN:
                self._tries.popitem(last=False)
            while tries and now - tries[0] >= self._within:
                tries.popleft()
            if len(tries) >= self._most:
                return self._within - (now - tries[0])
            tries.append(now)
            return 0.0
