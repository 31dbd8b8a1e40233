"""How long whoever asks the ledger waits: one span for all that has to be waited for on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from time import monotonic

LONGEST = timedelta(seconds=30)
"""How long a writer waits for others before it gives up, unless told otherwise."""

_allowed: ContextVar[tuple[timedelta, float] | None] = ContextVar("patience", default=None)


@contextmanager
def patience(most: timedelta) -> Iterator[None]:
    """Wait no longer than this within the block: for connections, others, and statements alike."""
    token = _allowed.set((most, monotonic() + most.total_seconds()))
    try:
        yield
    finally:
        _allowed.reset(token)


@contextmanager
def patience_or(most: timedelta) -> Iterator[None]:
    """Wait no longer than this within the block, unless told otherwise around it."""
    if _allowed.get() is not None:
        yield
        return
    with patience(most):
        yield


def is_limited() -> bool:
    """Whether somebody has said how long to wait."""
    return _allowed.get() is not None


def allowed() -> timedelta:
    """Return how long it was to be waited in all."""
    given = _allowed.get()
    return given[0] if given else LONGEST


def left() -> timedelta:
    """Return what is left of it, at least a millisecond: to databases 0 means for ever."""
    given = _allowed.get()
    span = timedelta(seconds=given[1] - monotonic()) if given else LONGEST
    return max(span, timedelta(milliseconds=1))


def left_milliseconds() -> int:
    """Return what is left of it, as databases take it."""
    return max(1, int(left() / timedelta(milliseconds=1)))
