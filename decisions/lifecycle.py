"""The states of a case and the moves people may make."""

from enum import StrEnum
from typing import Final

from decisions.errors import LifecycleError


class Move(StrEnum):
    """What a person may do to a case."""

    ACKNOWLEDGE = "acknowledge"
    OVERRIDE = "override"
    SNOOZE = "snooze"
    REASSIGN = "reassign"
    DONE = "done"


PAST: Final = {
    Move.ACKNOWLEDGE: "acknowledged",
    Move.OVERRIDE: "overridden",
    Move.SNOOZE: "snoozed",
    Move.REASSIGN: "reassigned",
    Move.DONE: "completed",
}
"""How a move reads once it is made."""

MOVES: Final[dict[str, dict[Move, str]]] = {
    "open": {
        Move.ACKNOWLEDGE: "acknowledged",
        Move.OVERRIDE: "overridden",
        Move.SNOOZE: "open",
        Move.REASSIGN: "open",
        Move.DONE: "completed",
    },
    "acknowledged": {
        Move.OVERRIDE: "overridden",
        Move.SNOOZE: "acknowledged",
        Move.REASSIGN: "open",
        Move.DONE: "completed",
    },
}
"""The state each move leads to, by the state it starts from; what is not listed is not allowed."""


def allowed(state: str) -> tuple[Move, ...]:
    """Return the moves open to a person, in the order in which they are offered."""
    return tuple(MOVES.get(state, {}))


def after(state: str, move: Move) -> str:
    """Return the state the move leads to.

    Raises:
        LifecycleError: The state does not allow the move.
    """
    if move not in MOVES.get(state, {}):
        raise LifecycleError(f"a case that is {state.replace('_', ' ')} cannot be {PAST[move]}")
    return MOVES[state][move]
