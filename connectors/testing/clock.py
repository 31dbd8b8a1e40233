"""A clock that can be stopped, set and sent forward, for a pretended Slack of its own process."""

from datetime import datetime, timedelta

from decisions.ports import Clock, wall_clock


class ShiftedClock:
    """The wall clock until it is moved; every pretended wait then costs no time.

    Args:
        clock: What runs underneath.
    """

    def __init__(self, clock: Clock = wall_clock) -> None:
        self._clock = clock
        self._ahead = timedelta()
        self._stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        """Return the present instant (UTC)."""
        return (self._stopped_at or self._clock()) + self._ahead

    def forward(self, seconds: float) -> None:
        """Move ahead, or back where ``seconds`` is negative."""
        self._ahead += timedelta(seconds=seconds)

    def wait(self, span: timedelta) -> None:
        """Let so much time pass, at once."""
        self._ahead += max(span, timedelta())

    def stop_at(self, at: datetime) -> None:
        """Stand still at an instant (timezone-aware)."""
        self._stopped_at, self._ahead = at, timedelta()
