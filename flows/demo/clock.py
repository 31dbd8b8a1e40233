"""The clock of a simulation: stands still until it is moved, and never goes back."""

from datetime import UTC, datetime, timedelta


class MovableClock:
    """Says the instant it was last moved to.

    Args:
        at: The first instant (timezone-aware).
    """

    def __init__(self, at: datetime) -> None:
        self._now = at.astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the present instant of the simulation (timezone-aware, UTC)."""
        return self._now

    def move_to(self, at: datetime) -> None:
        """Make a later instant the present.

        Raises:
            ValueError: The instant has passed already.
        """
        if at < self._now:
            raise ValueError(f"the clock stands at {self._now:%Y-%m-%d %H:%M}, after {at}")
        self._now = at.astimezone(UTC)

    def wait(self, span: timedelta) -> None:
        """Let so much time pass."""
        self._now += span
