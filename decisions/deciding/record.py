"""One record in, what the rules say of it out: in process, without a warehouse or the ledger.

The answer is the one a batch would get: both are made from the same normal form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from decisions.deciding.boundary import reason
from decisions.definition import NOTHING, Definition
from decisions.errors import NotUnderstood
from decisions.rules.compiled import TODAY, Function, compiled
from decisions.rules.expression import parse
from decisions.rules.moment import day_number
from decisions.rules.normal import normal
from decisions.rules.reading import read


@dataclass(frozen=True, slots=True)
class JudgedRule:
    """A rule, whether or not it came to decide.

    Attributes:
        name: The rule's.
        action: What it does.
        value: Whether its condition holds; None where that is NULL, which is not met.
    """

    name: str
    action: str
    value: bool | None


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """What the rules say of one record, before arms, limits and everything the ledger knows.

    Attributes:
        rule: The rule that decides; ``otherwise`` where none does and that is an action; None
            where nothing is done.
        action: What is done, or ``nothing``.
        withheld: Why the record is beyond the operating boundary and left to a person, in words;
            None where it is decided on.
        rules: Every rule with its value, in order.
        boundary: Every entry of ``withhold`` with its value, in order; named by its reason, and
            ``do`` is who is told.
        priority: What ``prefer`` comes to, or the score; None where that is NULL.
    """

    rule: str | None
    action: str
    withheld: str | None
    rules: tuple[JudgedRule, ...]
    boundary: tuple[JudgedRule, ...]
    priority: float | None


class Judge:
    """A definition's rules, compiled once for as many records as there are.

    Args:
        definition: A definition without faults.
    """

    def __init__(self, definition: Definition) -> None:
        self._columns = definition.columns
        self._subject, self._scored_at = definition.signal.subject, definition.signal.scored_at
        self._otherwise = definition.otherwise
        self._definition = definition
        self._rules = [(rule.name, rule.do, self._compiled(rule.when)) for rule in definition.rules]
        self._boundary = [
            (each.because, each.to, self._compiled(each.when)) for each in definition.withhold
        ]
        prefer = definition.limits.prefer or f'"{definition.signal.score}"'
        self._priority = compiled(normal(parse(prefer, self._columns)))

    def decide(self, record: Mapping[str, object], as_of: datetime) -> RecordVerdict:
        """Return what the rules say of a record.

        Args:
            record: Its fields, as ``rules.reading`` describes them; what is left out is NULL. The
                subject may be a whole number; an instant of scoring is passed over.
            as_of: Whose day in UTC ``today()`` is (timezone-aware).

        Raises:
            NotUnderstood: The record has fields that are not declared, or of another type.
        """
        return self.verdict(self.values(record, as_of))

    def values(self, record: Mapping[str, object], as_of: datetime) -> dict[str, Any]:
        """Return a record's values as compiled conditions take them; see ``decide``."""
        if as_of.tzinfo is None:
            raise NotUnderstood(f"as_of is {as_of}, which has no time zone; give it one")
        fields = {name: value for name, value in record.items() if name != self._scored_at}
        if type(subject := fields.get(self._subject)) is int:
            fields[self._subject] = str(subject)
        day = day_number(as_of.astimezone(UTC).date())
        return read(fields, self._columns) | {TODAY: day}

    def verdict(self, values: Mapping[str, Any]) -> RecordVerdict:
        """Return what the rules say of values that ``values`` returned."""
        rules, boundary = _judged(self._rules, values), _judged(self._boundary, values)
        rule, action = next(
            ((rule.name, rule.action) for rule in rules if rule.value is True),
            (None if self._otherwise == NOTHING else "otherwise", self._otherwise),
        )
        priority = self._priority(values)
        return RecordVerdict(
            rule=rule,
            action=action,
            withheld=self._withheld(rules, boundary),
            rules=rules,
            boundary=boundary,
            priority=None if priority is None else float(priority),
        )

    def _withheld(
        self, rules: tuple[JudgedRule, ...], boundary: tuple[JudgedRule, ...]
    ) -> str | None:
        for each in boundary:
            if each.value is True:
                return each.name
        held = [place for place, rule in enumerate(rules) if rule.value is True]
        if self._definition.match != "unique" or len(held) < 2:
            return None
        code = len(boundary) + held[0] * len(rules) + held[-1]
        return reason(self._definition, code)[0]

    def _compiled(self, text: str) -> Function:
        return compiled(normal(parse(text, self._columns, gives="boolean")))


def _judged(
    conditions: Sequence[tuple[str, str, Function]], values: Mapping[str, Any]
) -> tuple[JudgedRule, ...]:
    return tuple(JudgedRule(name, do, holds(values)) for name, do, holds in conditions)


def decide_record(
    definition: Definition, record: Mapping[str, object], as_of: datetime
) -> RecordVerdict:
    """Return what a definition's rules say of one record; see ``Judge.decide``."""
    return _judge(_Same(definition)).decide(record, as_of)


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A definition that is equal to itself alone: looking it up takes no time."""

    definition: Definition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.definition is self.definition

    def __hash__(self) -> int:
        return id(self.definition)


@lru_cache(maxsize=64)
def _judge(same: _Same) -> Judge:
    return Judge(same.definition)
