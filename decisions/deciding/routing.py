"""To whom a case goes: from what the definition says to a person who is there."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

import pyarrow as pa

from decisions import columnar
from decisions.definition import Definition
from decisions.errors import UnknownPerson
from decisions.ownership import People, Standin, resolve
from decisions.worktime import deadline

_ROUTES = dict.fromkeys(("action", "assign", "assignee", "in_place_of", "because"), "VARCHAR")
_ROUTES |= {"respond_by": "TIMESTAMPTZ"}
_BESIDE = """
SELECT r.assignee, r.in_place_of, r.because, r.respond_by
FROM (SELECT *, row_number() OVER () AS position FROM matches) m
    JOIN routes r ON m.action = r.action AND m.assign IS NOT DISTINCT FROM r.assign
ORDER BY m.position
"""


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets the cases of one action and one value of its assigning field.

    Attributes:
        action: The action.
        assign: The assigning field's value, or None.
        assignee: Key of the person who gets the case.
        in_place_of: Whom they stand in for, if they do.
        because: Why it is theirs.
        respond_by: When their answer is due (timezone-aware).
    """

    action: str
    assign: str | None
    assignee: str
    in_place_of: str | None
    because: str
    respond_by: datetime


def routes(
    definition: Definition,
    wanted: Iterable[tuple[str, str | None]],
    people: People,
    *,
    at: datetime,
) -> list[Route]:
    """Return a route for each distinct pair of action and assigning value.

    Args:
        definition: The decision.
        wanted: Pairs of action and the assigning field's value (None where it has none).
        people: Who there is.
        at: When the cases open (timezone-aware).

    Raises:
        UnknownPerson: Nobody is left who could take a case.
    """
    return [_route(definition, action, assign, people, at) for action, assign in wanted]


def routed(definition: Definition, matches: pa.Table, people: People, *, at: datetime) -> pa.Table:
    """Return the matches with the person each goes to.

    Args:
        definition: The decision.
        matches: What ``evaluation.selected`` returned.
        people: Who there is.
        at: When the cases open (timezone-aware).

    Returns:
        The matches in their order, with ``assignee``, ``in_place_of``, ``because`` and
        ``respond_by``.

    Raises:
        UnknownPerson: Nobody is left who could take a case.
    """
    found = routes(definition, _pairs(matches), people, at=at)
    ways = columnar.table(map(astuple, found), **_ROUTES)
    with columnar.session() as engine:
        engine.register("matches", matches.select(["action", "assign"]))
        engine.register("routes", ways)
        beside: pa.Table = engine.sql(_BESIDE).to_arrow_table()
    # Joined to the matches here, not there, so that these are not copied.
    for name in beside.column_names:
        matches = matches.append_column(name, beside.column(name))
    return matches


def _pairs(matches: pa.Table) -> list[tuple[str, str | None]]:
    with columnar.session() as engine:
        engine.register("matches", matches.select(["action", "assign"]))
        return engine.sql("SELECT DISTINCT action, assign FROM matches ORDER BY ALL").fetchall()


def _route(
    definition: Definition, action: str, assign: str | None, people: People, at: datetime
) -> Route:
    person, because = _assignee(definition, action, assign, people, at)
    hours = people.hours(person.person)
    return Route(
        action=action,
        assign=assign,
        assignee=person.person,
        in_place_of=person.in_place_of,
        because=because,
        respond_by=deadline(at, definition.actions[action].respond_within, hours),
    )


def _assignee(
    definition: Definition, action: str, assign: str | None, people: People, at: datetime
) -> tuple[Standin, str]:
    target = definition.actions[action].assign or "business"
    because = f"assigned to {target.replace('_', ' ')}"
    if target in definition.fields:
        if assign in people.people:
            target = assign
        else:
            found = f"{assign!r}, who is not in people.yaml" if assign else "nobody"
            because = f"{target.replace('_', ' ')} is {found}; so the business owner"
            target = "business"
    owners = definition.owners
    try:
        standin = resolve(target, people=people, owners=owners, assignee=None, at=at)
    except UnknownPerson as gap:
        if target == "business":
            raise
        because = f"{because}, but {gap}; so the business owner"
        standin = resolve("business", people=people, owners=owners, assignee=None, at=at)
    return standin, f"{because}; {standin.because}" if standin.because else because
