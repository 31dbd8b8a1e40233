"""What time it is, and how it passes."""

from datetime import UTC, datetime, timedelta
from functools import partial
from time import sleep
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """Where the present instant comes from."""

    def __call__(self) -> datetime:
        """Return the present instant (timezone-aware, UTC)."""


class MachineClock:
    """The clock of this machine, which may be wrong or set back: a ledger knows a better one.

    Args:
        read: What the machine says (timezone-aware); its own clock if left out.
    """

    def __init__(self, read: Clock | None = None) -> None:
        self._read = read or partial(datetime.now, UTC)

    def __call__(self) -> datetime:
        """Return what the machine says (timezone-aware, UTC)."""
        return self._read()


wall_clock = MachineClock()


@runtime_checkable
class Waiting(Clock, Protocol):
    """A clock by which waiting is no matter of sleeping: one that is moved, or stands still."""

    def wait(self, span: timedelta) -> None:
        """Let so much time pass."""


class StandingClock:
    """A clock that stands still but for the time that somebody waits by it.

    Args:
        at: Where it stands (timezone-aware).
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        """Return where it stands."""
        return self._at

    def wait(self, span: timedelta) -> None:
        """Sleep for so long, and move on by it."""
        sleep(max(0.0, span.total_seconds()))
        self._at += span


def let_pass(clock: Clock, span: timedelta) -> None:
    """Let so much time pass by a clock: by its own means, else by sleeping."""
    if isinstance(clock, Waiting):
        clock.wait(span)
    else:
        sleep(max(0.0, span.total_seconds()))
