"""Look whether everything would work."""

from typing import TYPE_CHECKING, Final

from rich.console import RenderableType

from flows.cli.endings import DONE, WORLD_FAILED, YOURS_TO_FIX
from flows.cli.here import CommandHere
from flows.cli.output import attributes, plural, table

if TYPE_CHECKING:
    from decisions.ports import Finding

_MARKS: Final = {"fine": "ok", "doubtful": "note", "faulty": "MEND", "away": "away"}

_LONGEST: Final = 40
"""Characters of one word that have a place beside everything else in eighty columns."""


def doctor(*, here: CommandHere) -> int:
    """Look whether everything would work: sources, Slack, people, clock, what is overdue.

    Nobody is told anything, and nothing is recorded. It ends with 2 if there is something to
    mend, with 1 if only the outside world did not answer.

    Examples:
        followthrough doctor
        followthrough doctor --json
    """
    from decisions.ports import Condition
    from flows.doctor import examined

    with here.out.busy("looking at everything"):
        found = list(examined(here.settings, here.clock))
    faulty = [one for one in found if one.condition is Condition.FAULTY]
    away = [one for one in found if one.condition is Condition.AWAY]
    rows = [(_MARKS[one.condition], one.about, _cell(one)) for one in found]
    places = [f"\n{one.about}: {one.found}" for one in found if _is_long(one)]
    advice: list[RenderableType] = [
        f"  {one.about}: {one.advice}" for one in found if one.advice and one.condition != "fine"
    ]
    end = f"{plural(len(faulty), 'thing')} to mend" if faulty else "nothing to mend"
    here.out.answer(
        {"findings": [attributes(one, "about", "condition", "found", "advice") for one in found]},
        table("", "what", "found", rows=rows, whole=[0]),
        *places,
        *([f"\n{'What to do' if faulty or away else 'Notes'}", *advice] if advice else []),
        "",
        f"{plural(len(found), 'look')}, {end}{f', {len(away)} did not answer' if away else ''}",
    )
    if faulty:
        return YOURS_TO_FIX
    return WORLD_FAILED if away else DONE


def _is_long(one: "Finding") -> bool:
    """Whether it is an address too long for the table, which nobody could copy once broken."""
    return " " not in one.found and len(one.found) > _LONGEST


def _cell(one: "Finding") -> str:
    return "below" if _is_long(one) else one.found
