"""Who may answer a case."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from decisions.definition import Owners
from decisions.errors import UnknownPerson
from decisions.ownership import People


def entitled(
    people: People, owners: Owners, *, assignee: str | None, told: Iterable[str], at: datetime
) -> set[str]:
    """Return who may answer: the assignee, the owners and whoever was told, and their stand-ins.

    Whoever has left may not, and neither may a key that ``people.yaml`` has no longer.

    Args:
        people: Who there is.
        owners: The owners named by the definition that the case is pinned to.
        assignee: Who holds the case.
        told: Who was sent a message about it.
        at: The instant that stand-ins are looked up for (timezone-aware).
    """
    named = [owners.business, owners.technical, owners.backup]
    keys = {people.roles.get(name, name) for name in named if name} | set(told)
    keys |= {assignee} if assignee else set()
    known = keys & people.people.keys()
    return {key for key in known if not people.has_left(key, at)} | set(
        _standins(people, known, at)
    )


def _standins(people: People, keys: Iterable[str], at: datetime) -> Iterator[str]:
    for key in keys:
        try:
            yield people.standin(key, at).person
        except UnknownPerson:
            continue  # nobody is left to stand in; the others still may answer
