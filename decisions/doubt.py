"""What becomes of a message that may have been taken: looked for, sent again, or given up.

Pure rules, no clock, no ledger. What was learnt is counted since the message was last posted:
nothing but a new post begins the counts anew.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal

SETTLE = timedelta(seconds=30)
"""How long after a send of unknown outcome the other side is asked what became of it."""

ABSENCES = 2
"""Looks that do not find a message of unknown outcome before it is sent again."""

MOST_SILENCES = 3
"""Looks that nobody answers; after one more a message of unknown outcome is sent again, or held."""

_MOST_DOUBLINGS = 5
"""Looks that are answered become no rarer than every 16 minutes."""

Unconfirmed = Literal["resend", "hold"]
"""What becomes of a message that cannot be looked up: sent again and marked, or kept back."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known of a message that may have been taken.

    Attributes:
        absences: How often the other side did not have it since it was last posted.
        silences: How often the other side could not say since then.
        repeats: How often it was sent again; whoever gets it is told that it may be a repeat.
    """

    absences: int = 0
    silences: int = 0
    repeats: int = 0

    def absent(self) -> "Doubt":
        """Return what is known once it was looked for and not found."""
        return replace(self, absences=self.absences + 1)

    def silent(self) -> "Doubt":
        """Return what is known once it was looked for and nobody could say."""
        return replace(self, silences=self.silences + 1)

    @property
    def wait(self) -> timedelta:
        """How long until the next look; after each repeat twice as long as after the one before.

        So who cannot be asked at all is sent no more than ten repeats in a day.
        """
        if self.silences > MOST_SILENCES:  # it is held
            doublings = min(self.silences - MOST_SILENCES, _MOST_DOUBLINGS)
        elif self.silences:
            doublings = self.repeats
        else:
            doublings = min(self.repeats, _MOST_DOUBLINGS)
        return SETTLE * (1 << doublings)


class Course(StrEnum):
    """What to do about a message that a look did not find."""

    LOOK = "look again"
    REPEAT = "send it again"
    ELSEWHERE = "send it by the next connection"
    GIVE_UP = "count it as not told"


def course(
    doubt: Doubt, *, unconfirmed: Unconfirmed, has_next_route: bool, is_used_up: bool
) -> Course:
    """Return what to do next about a message that may have been taken.

    It is given up only once it was looked for as often as it is before a repeat.

    Args:
        doubt: What is known, the last look counted in.
        unconfirmed: What becomes of a message that cannot be looked up.
        has_next_route: Whether it may go by another connection.
        is_used_up: Whether nobody waits for its present connection any longer.
    """
    is_gone, is_mute = doubt.absences >= ABSENCES, doubt.silences > MOST_SILENCES
    if not is_gone and not is_mute:
        return Course.LOOK
    if is_used_up:
        return Course.GIVE_UP
    if is_gone:
        return Course.REPEAT
    if unconfirmed == "hold":
        return Course.LOOK
    # Losing a message is worse than repeating it, if the repeat says that it is one.
    return Course.ELSEWHERE if doubt.repeats and has_next_route else Course.REPEAT
