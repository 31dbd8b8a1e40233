"""The stages of a version, the moves between them, and whose signatures are missing.

Pure rules: no clock, no ledger. What people do with them is in ``decisions.board``.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from decisions.definition import OWNER_ROLES, Definition, Owners, SignOff
from decisions.errors import LifecycleError, NotUnderstood, UnknownPerson
from decisions.ownership import People, resolve
from decisions.quantities import Share


class Stage(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    """Written, and not put before its owners."""
    RELEASED = "released"
    """Put before its owners; signatures are missing."""
    SIGNED = "signed"
    """Signed by all who have to, and in no stage yet."""
    SHADOW = "shadow"
    """Judges every batch and acts on nobody."""
    RAMP = "ramp"
    """Acts on a share of the subjects."""
    LIVE = "live"
    """Acts on every subject it selects."""
    HALTED = "halted"
    """Stopped by an owner."""
    RETIRED = "retired"
    """Another version has taken its place."""


MOVES: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    Stage.SIGNED: (Stage.SHADOW, Stage.RAMP, Stage.LIVE),
    Stage.SHADOW: (Stage.RAMP, Stage.LIVE),
    Stage.RAMP: (Stage.SHADOW, Stage.RAMP, Stage.LIVE),
    Stage.LIVE: (Stage.SHADOW, Stage.RAMP),
}
"""The stages a version may be moved to, by the one it is in; what is not listed is refused."""

_HINTS: Final[Mapping[Stage, str]] = {
    Stage.DRAFT: "it has to be released and signed first",
    Stage.RELEASED: "it has to be signed first",
    Stage.HALTED: "the decision has to be resumed or rolled back first",
    Stage.RETIRED: "go back to it with a rollback",
}


@dataclass(frozen=True, slots=True)
class Placing:
    """A stage a version can be put in, as people write it: ``shadow``, ``ramp 25%``, ``live``.

    Attributes:
        stage: Shadow, ramp or live.
        share: The share of subjects a ramp acts on, more than 0 and less than 1; else 1.
    """

    stage: Stage
    share: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Placing":
        """Read the written form; ``ramp 100%`` is ``live``.

        Raises:
            NotUnderstood: It is no such stage.
        """
        words = text.split()
        if words in (["shadow"], ["live"]):
            return cls(Stage(words[0]))
        if len(words) == 2 and words[0] == "ramp":
            try:
                return cls.ramp(Share.parse(words[1]).of_one)
            except ValueError:
                pass
        raise NotUnderstood(f"{text!r} is no stage; write shadow, live or a ramp such as ramp 25%")

    @classmethod
    def ramp(cls, share: float) -> "Placing":
        """Return the stage that acts on a share of the subjects: all of them is live.

        Raises:
            ValueError: The share is not more than 0.
        """
        if share <= 0:
            raise ValueError("a ramp acts on more than 0%")
        return cls(Stage.LIVE) if share >= 1 else cls(Stage.RAMP, share)

    def __str__(self) -> str:
        return f"ramp {Share(self.share)}" if self.stage is Stage.RAMP else self.stage.value


LIVE: Final = Placing(Stage.LIVE)
"""Everybody whom the rules select."""


def check_move(name: str, now: Placing | Stage, to: Placing) -> None:
    """See that a version may be moved.

    Args:
        name: What the version is called, for the refusal.
        now: Where it stands.
        to: Where it is to go.

    Raises:
        LifecycleError: That is not allowed; the text says what to do first.
    """
    stage = now.stage if isinstance(now, Placing) else now
    if now == to:
        raise LifecycleError(f"{name} is in {to} already")
    if to.stage not in MOVES.get(stage, ()):
        hint = _HINTS.get(stage, "that is no step back or on")
        raise LifecycleError(f"{name} is {now} and cannot go to {to}; {hint}")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the author of an act is told.

    Attributes:
        decision: The decision's name.
        version: The number of the version it is about; None where there is none yet.
        stage: Where that version stands now.
        text: One sentence.
        missing: As whom somebody still has to sign.
        repeated: Whether it had been done before.
    """

    decision: str
    version: int | None
    stage: str
    text: str
    missing: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose signatures one definition asks for.

    Attributes:
        sign_off: What it says.
        owners: Whom it means by its owners.
        suffix: Tells the names of this rule from those of another, such as `` of v3``.
    """

    sign_off: SignOff
    owners: Owners
    suffix: str = ""

    def who_may(self, people: People, *, author: str, at: datetime) -> dict[str, set[str]]:
        """Return who may sign at an instant, by the name they sign as.

        The one named or whoever stands in for them; the backup owner in place of an author who
        may not sign.

        Args:
            people: Who there is.
            author: Who released the version.
            at: The instant (timezone-aware).
        """
        excluded = {author} if self.sign_off.not_ == "author" else set()
        backup = {self.owners.backup} - {None}
        found = {}
        for name in self.sign_off.by:
            may = self._meant(name, people, at) - excluded
            for each in () if may else backup:
                may = self._meant(str(each), people, at) - excluded
            found[name + self.suffix] = may
        return found

    def _meant(self, name: str, people: People, at: datetime) -> set[str]:
        named = str(getattr(self.owners, name)) if name in OWNER_ROLES else name
        key = people.roles.get(named, named)
        there = {key} if key in people.people and not people.has_left(key, at) else set()
        try:
            standin = resolve(name, people=people, owners=self.owners, assignee=None, at=at)
        except UnknownPerson:
            return there  # nobody stands in; the one named may still sign
        return there | {standin.person}


def rules(wanted: Definition, in_force: Definition | None, number: int = 0) -> tuple[Rule, ...]:
    """Return whose signatures a version needs: what it says itself, and what the one in force says.

    So that nobody signs away the sign-off of others by editing it.

    Args:
        wanted: The version's content.
        in_force: The content of the version that acts now, if one does.
        number: That version's number.
    """
    found = []
    if wanted.sign_off:
        found.append(Rule(wanted.sign_off, wanted.owners))
    if in_force and in_force.sign_off:
        theirs = Rule(in_force.sign_off, in_force.owners)
        if theirs not in found:
            suffix = f" of v{number}" if found else ""
            found.append(Rule(in_force.sign_off, in_force.owners, suffix))
    return tuple(found)


def entitlements(
    asked: Iterable[Rule], people: People, *, author: str, at: datetime
) -> dict[str, set[str]]:
    """Return who may sign a version, by the name they sign as, over all rules that hold for it."""
    found: dict[str, set[str]] = {}
    for rule in asked:
        found |= rule.who_may(people, author=author, at=at)
    return found


def missing(
    needed: Iterable[str], signed: Mapping[str, Collection[str]], *, author: str
) -> tuple[str, ...]:
    """Return the names that still have to sign, in the order in which they are asked.

    Args:
        needed: The names that have to.
        signed: As whom each person has signed, by their key.
        author: Who released the version; their signature never is the only one.

    Returns:
        Empty once it is signed. ``somebody else`` where only the author has signed.
    """
    given = {role for roles in signed.values() for role in roles}
    left = tuple(name for name in needed if name not in given)
    return left or (() if set(signed) - {author} else (SOMEBODY_ELSE,))


SOMEBODY_ELSE: Final = "somebody else than the author"
"""Who is missing where an author alone has signed; any other owner will do."""


def version_named(text: str) -> tuple[str, int | None]:
    """Return the decision and the number of a version as people name it.

    Args:
        text: Such as ``churn-save-call/v3``, or a decision alone.

    Raises:
        NotUnderstood: What stands behind the stroke is no version.
    """
    decision, stroke, rest = text.partition("/")
    number = re.fullmatch(r"v?([1-9][0-9]{0,8})", rest)
    if stroke and number is None:
        raise NotUnderstood(f"{text!r} names no version; write {decision}/v3")
    return decision, int(number[1]) if number else None
