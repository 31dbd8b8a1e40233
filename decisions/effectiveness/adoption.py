"""How people dealt with cases: how long they took, why they overrode, what they left open.

Descriptions, never verdicts: people differ in the cases they get.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from decisions.ports import Frozen

FEWEST = 5
"""A count of a person's below this is not shown: it describes single cases, not a habit."""


class Times(Frozen):
    """How much working time something took, over the cases of the reporting span.

    Attributes:
        what: What took it.
        count: Cases of which it is known.
        median: Half of them took at most so many seconds; None without any.
        slow: Nine in ten took at most so many seconds; None without any.
        within: Cases that took at most so many working hours.
    """

    what: str
    count: int
    median: int | None
    slow: int | None
    within: Mapping[int, int]


class Agreement(Frozen):
    """What people said they did beside what another system proves, over the reporting span.

    Attributes:
        both: Reported and proven.
        reported: Reported only: nothing proves it.
        proven: Proven only: nobody said so.
        contradicted: Overridden, and proven all the same.
        neither: Answered and not overridden, yet neither reported nor proven.
    """

    both: int = 0
    reported: int = 0
    proven: int = 0
    contradicted: int = 0
    neither: int = 0


class Overrides(Frozen):
    """Who overrode how often, and why.

    Attributes:
        person: Key of ``people.yaml``.
        name: How the report calls them.
        count: Cases they overrode; None where they are too few to be shown.
        reasons: Cases by reason; None where they are too few to be shown.
    """

    person: str
    name: str
    count: int | None
    reasons: Mapping[str, int | None]


class LooseEnd(Frozen):
    """A case of which something is still not known.

    Attributes:
        case: Its key.
        assignee: Who holds it; a key of ``people.yaml``.
        name: How the report calls them.
        opened_at: When it was opened (timezone-aware).
        lacks: ``answer``, ``proof`` (or ``report``, where no proof is declared) and ``outcome``.
    """

    case: str
    assignee: str | None
    name: str
    opened_at: datetime
    lacks: tuple[str, ...]


class Aged(Frozen):
    """Open loops of one person by the age of their case.

    Attributes:
        assignee: Who holds the cases; a key of ``people.yaml``.
        name: How the report calls them.
        counts: Cases with something open, by age in days up to which they count; the last one
            without a bound.
    """

    assignee: str | None
    name: str
    counts: tuple[int, ...]


AGES = (7, 30, 90)
"""Days that part the ages of open loops."""

HOURS = (1, 4, 8, 16, 40)
"""Working hours that part the times taken."""


class Adoption(Frozen):
    """How people dealt with the cases of the reporting span.

    Attributes:
        times: To the first answer, and to reporting the work done; without those nobody timed.
        agreement: Reports beside proofs; None where no proof is declared or nothing was done.
        overrides: Who overrode, most often first.
        aged: Open loops of all cases by who holds them, most first.
        loose_ends: The cases longest open, oldest first; not all of them if they are many.
    """

    times: tuple[Times, ...] = ()
    agreement: Agreement | None = None
    overrides: tuple[Overrides, ...] = ()
    aged: tuple[Aged, ...] = ()
    loose_ends: tuple[LooseEnd, ...] = ()

    @property
    def open_cases(self) -> int:
        """How many cases have something open."""
        return sum(sum(each.counts) for each in self.aged)

    def named(self, names: Mapping[str, str]) -> Self:
        """Return it with people called by their names, those with most open first."""
        known = {
            field: tuple(each.model_copy(update=_name_of(each, names)) for each in found)
            for field, found in (
                ("overrides", self.overrides),
                ("aged", sorted(self.aged, key=lambda each: (-sum(each.counts), each.name))),
                ("loose_ends", self.loose_ends),
            )
        }
        return self.model_copy(update=known)


def overrides_of(
    rows: Sequence[tuple[str, str, int | None, int | None]],
) -> tuple[Overrides, ...]:
    """Return who overrode how often and why, in the order of the rows; people are their keys.

    Args:
        rows: Person, reason, their cases for it, their cases for any; None where too few to show.
    """
    found: dict[str, Overrides] = {}
    for person, reason, count, of_person in rows:
        before = found.get(person) or Overrides(
            person=person, name=person, count=of_person, reasons={}
        )
        found[person] = before.model_copy(update={"reasons": {**before.reasons, reason: count}})
    return tuple(found.values())


def _name_of(row: Overrides | Aged | LooseEnd, names: Mapping[str, str]) -> dict[str, str]:
    key = row.person if isinstance(row, Overrides) else row.assignee
    return {"name": names.get(key, key) if key else "nobody"}
