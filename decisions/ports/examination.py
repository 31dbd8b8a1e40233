"""Whether a connector would work, and what is wrong with it if not."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from decisions.ports.message import Addressee
from decisions.ports.value import Frozen


class Condition(StrEnum):
    """How something that was examined is."""

    FINE = "fine"
    DOUBTFUL = "doubtful"
    """It works, or cannot be told; somebody should know all the same."""
    FAULTY = "faulty"
    """It does not work until somebody mends it."""
    AWAY = "away"
    """The outside world did not answer; later it may."""


class Finding(Frozen):
    """One thing that was examined.

    Attributes:
        about: What was looked at, such as ``slack: permissions``.
        condition: How it is.
        found: What was found.
        advice: What to do, unless it is fine.
    """

    about: str
    condition: Condition = Condition.FINE
    found: str
    advice: str | None = None


@runtime_checkable
class Examinable(Protocol):
    """A connector that can say whether it would work, without telling anybody anything."""

    def examined(self, people: Sequence[Addressee]) -> Iterator[Finding]:
        """Yield what was looked at: access, permissions, whether people can be reached.

        Args:
            people: Whom it may have to reach.
        """
