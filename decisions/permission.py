"""Who may do what: the roles people have towards a decision, and the acts each role allows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from decisions.definition import Definition
from decisions.entitlement import entitled
from decisions.errors import UnknownPerson
from decisions.ownership import People
from decisions.release import Rule


class Role(StrEnum):
    """What somebody is to a decision or to one of its cases."""

    READER = "reader"
    """Is in ``people.yaml`` and has not left."""
    ASSIGNEE = "assignee"
    """Holds the case, stands in for who does, or was told of it."""
    OWNER = "owner"
    """Owns the decision, or stands in for who does."""
    SIGNER = "signer"
    """One of those who sign its versions; where nobody has to, an owner."""
    OPERATOR = "operator"
    """Keeps Followthrough running: named under ``operators`` in ``people.yaml``."""


class Act(StrEnum):
    """What somebody may want to do."""

    READ = "read"
    """Open queues, cases, decisions, runs, the portfolio."""
    SEE_HELD_OUT = "see what is held out"
    """Learn which subjects are left alone on purpose, while they are."""
    ANSWER = "answer"
    """Acknowledge, override, snooze, reassign, report as done."""
    HALT = "halt"
    RESUME = "resume"
    SIGN = "sign"
    MOVE = "move"
    """Stage a version, or roll back to it."""
    DECIDE = "decide"
    """Have one record decided and recorded."""
    RECORD = "record"
    """Hand in outcomes."""
    SEARCH = "search the ledger"
    VERIFY = "verify the ledger"
    EXPORT = "export the ledger"


class Scope(StrEnum):
    """What a program's token may, of what its person may."""

    READ = "read"
    ANSWER = "answer"
    DECIDE = "decide"
    RECORD = "record"


GRANTED: Final[Mapping[Scope, frozenset[Act]]] = {
    Scope.READ: frozenset({Act.READ, Act.SEE_HELD_OUT}),
    Scope.ANSWER: frozenset({Act.ANSWER}),
    Scope.DECIDE: frozenset({Act.DECIDE}),
    Scope.RECORD: frozenset({Act.RECORD}),
}
"""The acts each scope covers."""

_OWNERS = frozenset({Role.OWNER})
_SIGNERS = frozenset({Role.SIGNER})
_KEEPERS = frozenset({Role.OWNER, Role.OPERATOR})

ALLOWED: Final[Mapping[Act, frozenset[Role]]] = {
    Act.READ: frozenset({Role.READER}),
    Act.SEE_HELD_OUT: _OWNERS,
    Act.ANSWER: frozenset({Role.ASSIGNEE, Role.OWNER}),
    Act.HALT: _OWNERS,
    Act.RESUME: _SIGNERS,
    Act.SIGN: _SIGNERS,
    Act.MOVE: _SIGNERS,
    Act.DECIDE: _KEEPERS,
    Act.RECORD: _KEEPERS,
    Act.SEARCH: _KEEPERS,
    Act.VERIFY: _KEEPERS,
    Act.EXPORT: frozenset({Role.OPERATOR}),
}
"""The roles that allow each act; any one of them is enough, and what is not listed is refused."""


def roles_of(
    person: str, definitions: Iterable[Definition], people: People, at: datetime
) -> frozenset[Role]:
    """Return what a person is to a decision at an instant; nothing once they have left.

    Whether somebody is the assignee of a case is ``decisions.entitlement``'s to say.

    Args:
        person: Key of the person.
        definitions: What the decision says, in its file and in the version that acts.
        people: Who there is.
        at: The instant (timezone-aware).
    """
    if person not in people.people or people.has_left(person, at):
        return frozenset()
    found = {Role.READER}
    said = tuple(definitions)
    if any(person in _owners(each, people, at) for each in said):
        found.add(Role.OWNER)
    if person in _signers(said, people, at):
        found.add(Role.SIGNER)
    if person in _operators(people, at):
        found.add(Role.OPERATOR)
    return frozenset(found)


def _owners(definition: Definition, people: People, at: datetime) -> set[str]:
    return entitled(people, definition.owners, assignee=None, told=(), at=at)


def _signers(definitions: tuple[Definition, ...], people: People, at: datetime) -> set[str]:
    asking = [Rule(each.sign_off, each.owners) for each in definitions if each.sign_off]
    found = [may for rule in asking for may in rule.who_may(people, author="", at=at).values()]
    return set().union(*(found or [_owners(each, people, at) for each in definitions]))


def _operators(people: People, at: datetime) -> set[str]:
    keys = {people.roles.get(name, name) for name in people.operators}
    found = keys & people.people.keys()
    for key in tuple(found):
        try:
            found.add(people.standin(key, at).person)
        except UnknownPerson:
            continue  # nobody is left to stand in
    return found
