"""How often somebody may fail to prove who they are."""

from datetime import timedelta
from time import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Patience:
    """Counts the failures of each address in this process, within a window that moves.

    Args:
        most: How many failures are allowed within the span.
        within: The span; whole seconds.
    """

    def __init__(self, most: int, within: timedelta) -> None:
        self._bound = RateLimitItemPerSecond(most, int(within.total_seconds()))
        self._failures = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, address: str) -> float:
        """Return for how many seconds an address has to wait; 0 if it may try."""
        if self._failures.test(self._bound, address):
            return 0.0
        window = self._failures.get_window_stats(self._bound, address)
        return max(window.reset_time - time(), 1.0)

    def failed(self, address: str) -> None:
        """Count that an address could not prove who it is."""
        self._failures.hit(self._bound, address)
