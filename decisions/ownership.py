"""Who is who: people, roles, cover, and who stands in when somebody is away or has left."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from decisions.definition import OWNER_ROLES, Owners
from decisions.errors import UnknownPerson
from decisions.spelling import Day, Part, Text, ZoneName
from decisions.suggestions import choices
from decisions.worktime import WorkingHours, is_holiday

LONGEST_COVER_CHAIN = 5
"""How many stand-ins may follow one another at any time."""
ASSIGNEES_MANAGER = "assignee.manager"
"""The step of an escalation that goes to the manager of whoever holds the case."""


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", text) or len(text) > 60:
        raise ValueError("write it in lower case, like 'dana.reyes', at most 60 characters")
    if text in {*OWNER_ROLES, ASSIGNEES_MANAGER}:
        raise ValueError("that name is taken by the owners of a decision; choose another")
    return text


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text):
        raise ValueError("write an address like 'dana@larkfield.example'")
    return text


def _slack_id(text: str) -> str:
    if not re.fullmatch(r"[UW][A-Z0-9]{2,20}", text):
        raise ValueError("write the member id from the person's Slack profile, like 'U01DANA'")
    return text


def _holidays(text: str) -> str:
    is_holiday(date(2000, 1, 1), text)
    return text


def _hours(text: str) -> str:
    WorkingHours.parse(text)
    return text


PersonKey = Annotated[str, AfterValidator(_key)]
"""Names a person or a role in definitions and in the ledger."""


class Person(Part):
    """Somebody who can own a decision, hold a case or hear of one."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, AfterValidator(_email)]
    slack: Annotated[str, AfterValidator(_slack_id)] | None = None
    """Slack member id, such as U01DANA."""
    manager: str | None = None
    """The key of the person this one reports to."""
    zone: ZoneName = "UTC"
    """IANA time zone in which hours, cover and dates are read."""
    hours: Annotated[str, AfterValidator(_hours)] = "mon-fri 09:00-17:00"
    """Weekdays and wall-clock hours worked."""
    holidays: Annotated[str, AfterValidator(_holidays)] | None = None
    """Country, or country and subdivision such as DE-BE, whose public holidays are not worked."""
    last_day: Day | None = None
    """The last day in the company; from the next day on the manager stands in."""


class Cover(Part):
    """A dated stand-in of one person for another."""

    of: str
    """Who is away."""
    by: str
    """Who stands in."""
    begins_on: Day = Field(alias="from")
    """First day, in the zone of the person who is away."""
    until: Day
    """Last day, in the zone of the person who is away."""
    because: Text

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.begins_on > self.until:
            raise ValueError(f"the cover begins on {self.begins_on}, after it ends on {self.until}")
        return self


@dataclass(frozen=True, slots=True)
class Standin:
    """The person an ask goes to, and why it is not somebody else.

    Attributes:
        person: Key of the person who is asked.
        in_place_of: Key of the person they stand in for; None when they are the one meant.
        because: Why them, such as ``covers Dana Reyes (leave)``; empty when nothing needs saying.
    """

    person: str
    in_place_of: str | None = None
    because: str = ""


class People(Part):
    """Everybody a workspace knows: the content of ``people.yaml``."""

    people: Annotated[dict[PersonKey, Person], Field(min_length=1)]
    roles: dict[PersonKey, str] = Field(default_factory=dict)
    """Names of roles and who holds each."""
    operators: tuple[str, ...] = ()
    """Who keeps Followthrough running: may search, verify and export the whole ledger."""
    cover: Annotated[tuple[Cover, ...], Field(max_length=1_000)] = ()

    def person(self, key: str) -> Person:
        """Return the person of that key.

        Raises:
            UnknownPerson: There is none; the text names the nearest key.
        """
        try:
            return self.people[key]
        except KeyError:
            hint = choices(key, self.people)
            raise UnknownPerson(f"nobody in people.yaml is called {key!r}; {hint}") from None

    def name(self, key: str) -> str:
        """Return the person's name; the key itself for somebody whom the file has no longer."""
        return self.people[key].name if key in self.people else key

    def hours(self, key: str) -> WorkingHours:
        """Return when the person works.

        Raises:
            UnknownPerson: There is nobody of that key.
        """
        person = self.person(key)
        return WorkingHours.parse(person.hours, zone=person.zone, holidays=person.holidays)

    def team(self, key: str) -> frozenset[str]:
        """Return the person and everybody who reports to them, at whatever remove."""
        found = {key} & self.people.keys()
        while True:
            below = {one for one, each in self.people.items() if each.manager in found} - found
            if not below:
                return frozenset(found)
            found |= below

    @property
    def managers(self) -> frozenset[str]:
        """Everybody to whom somebody reports."""
        return frozenset(each.manager for each in self.people.values() if each.manager)

    def has_left(self, key: str, at: datetime) -> bool:
        """Whether the person's last day is over at an instant (timezone-aware).

        Raises:
            UnknownPerson: There is nobody of that key.
        """
        last_day = self.person(key).last_day
        return last_day is not None and self.hours(key).local_day(at) > last_day

    def present(self, key: str, at: datetime) -> Standin | None:
        """Return who is there for a person at an instant: their cover, else they themselves.

        Cover is followed from one to the next; a chain that would come back ends where it stands.

        Args:
            key: The person meant.
            at: The instant (timezone-aware).

        Returns:
            None when the one who should be there has left.

        Raises:
            UnknownPerson: There is nobody of that key.
        """
        found, seen = Standin(key), [key]
        while cover := self._cover_of(found.person, at):
            if cover.by in seen or len(seen) > LONGEST_COVER_CHAIN:
                break
            because = f"covers {self.person(found.person).name} ({cover.because})"
            found = Standin(cover.by, key, because)
            seen.append(cover.by)
        return None if self.has_left(found.person, at) else found

    def standin(self, key: str, at: datetime) -> Standin:
        """Return who is asked when a person is meant: themselves, their cover, else their manager.

        Args:
            key: The person meant.
            at: The instant (timezone-aware).

        Raises:
            UnknownPerson: There is nobody of that key, or nobody above them is there either.
        """
        if found := self.present(key, at):
            return found
        below, seen = self.person(key), {key}
        while below.manager and below.manager not in seen:
            if found := self.present(below.manager, at):
                because = found.because or f"manager of {below.name}, who is not there"
                return Standin(found.person, key, because)
            seen.add(below.manager)
            below = self.person(below.manager)
        raise UnknownPerson(
            f"nobody is there for {self.person(key).name}: everybody up to {below.name} has left; "
            "name a manager or a cover in people.yaml"
        )

    def _cover_of(self, key: str, at: datetime) -> Cover | None:
        today = self.hours(key).local_day(at)
        dated = (each for each in self.cover if each.of == key)
        return next((each for each in dated if each.begins_on <= today <= each.until), None)


def resolve(
    target: str, *, people: People, owners: Owners, assignee: str | None, at: datetime
) -> Standin:
    """Return the person whom a name in a definition stands for at an instant.

    For an owner who is not there and has no cover, the backup owner stands in before any manager.
    Where the assignee has no manager, the business owner is asked.

    Args:
        target: A person, a role, an owner (business, technical, backup) or assignee.manager.
        people: Who is who.
        owners: The owners of the decision.
        assignee: Key of the person who holds the case, if anybody does.
        at: The instant (timezone-aware).

    Raises:
        UnknownPerson: The target names nobody, or nobody is left who could stand in.
    """
    if target == ASSIGNEES_MANAGER:
        return _manager(assignee, people=people, owners=owners, at=at)
    if target in OWNER_ROLES:
        return _owner(target, people=people, owners=owners, at=at)
    return people.standin(people.roles.get(target, target), at)


def _manager(assignee: str | None, *, people: People, owners: Owners, at: datetime) -> Standin:
    holder = people.people.get(assignee) if assignee else None
    if holder and holder.manager:
        return people.standin(holder.manager, at)
    owner = _owner("business", people=people, owners=owners, at=at)
    gap = f"{people.name(assignee)} has no manager" if assignee else "nobody holds the case"
    because = f"business owner; {gap}"
    return Standin(
        owner.person, owner.in_place_of, f"{because}; {owner.because}" if owner.because else because
    )


def _owner(role: str, *, people: People, owners: Owners, at: datetime) -> Standin:
    named: str | None = getattr(owners, role)
    if named is None:
        raise UnknownPerson(f"the decision has no {role} owner; name one under 'owners'")
    key = people.roles.get(named, named)
    if key in people.people and (found := people.present(key, at)):
        return found
    backup = people.roles.get(owners.backup, owners.backup) if owners.backup else None
    if backup in people.people and (found := people.present(backup, at)):
        because = found.because or f"backup owner for {people.name(key)}, who is not there"
        return Standin(found.person, key, because)
    return people.standin(key, at)
