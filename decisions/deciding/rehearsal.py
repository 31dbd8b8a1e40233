"""The examples of a definition, run against its rules: unit tests that come with the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from decisions.deciding.record import Judge, RecordVerdict
from decisions.definition import WITHHELD, Definition, Example
from decisions.errors import Place


@dataclass(frozen=True, slots=True)
class FailedExample:
    """An example that leads elsewhere than it says.

    Attributes:
        index: Its position among the examples, from 0.
        expected: The action it expects, or that it is withheld.
        found: What the definition says of it.
        because: The rule or the boundary that leads there, in words.
    """

    index: int
    expected: str
    found: str
    because: str

    @property
    def place(self) -> Place:
        """Where the example stands in its file."""
        return "examples", self.index

    @property
    def text(self) -> str:
        """What happened, in one sentence."""
        return f"example {self.index + 1} expects {self.expected!r}; {self.because}"


_AHEAD = tuple(timedelta(days=days) for days in (1, 7, 30, 90, 365, 3_650))


def failed_examples(definition: Definition, *, today: date) -> tuple[FailedExample, ...]:
    """Return the examples that do not lead where they say.

    Args:
        definition: A definition without faults.
        today: What ``today()`` is for examples that give no ``as_of``.
    """
    if not definition.examples:
        return ()
    judge, failed = Judge(definition), []
    for index, example in enumerate(definition.examples):
        verdict = judge.decide(example.given, _noon(example.as_of or today))
        found, because = _told(definition, verdict)
        if found != example.expect:
            failed.append(FailedExample(index, example.expect, found, because))
    return tuple(failed)


def perishing_examples(definition: Definition, *, today: date) -> Iterator[tuple[Place, str]]:
    """Yield the examples that hold today and will not on some later day: where, and what.

    Args:
        definition: A definition without faults.
        today: The present date; some days of the ten years after it are tried.
    """
    undated = [(i, each) for i, each in enumerate(definition.examples) if each.as_of is None]
    if not undated:
        return
    judge = Judge(definition)

    def holds(example: Example, day: date) -> bool:
        found, _ = _told(definition, judge.decide(example.given, _noon(day)))
        return found == example.expect

    for index, example in undated:
        if not holds(example, today):
            continue  # it has failed by now, which is said as such
        for day in (today + ahead for ahead in _AHEAD):
            if not holds(example, day):
                text = f"example {index + 1} gives no as_of, and fails from {day} on or earlier"
                yield ("examples", index), f"{text}; nothing is decided then"
                break


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _told(definition: Definition, verdict: RecordVerdict) -> tuple[str, str]:
    """Return what the definition says of a record, and by what, in words."""
    if verdict.withheld is not None:
        return WITHHELD, f"it is withheld: {verdict.withheld}"
    if verdict.rule in {rule.name for rule in definition.rules}:
        return verdict.action, f"rule {verdict.rule!r} leads to {verdict.action!r}"
    return verdict.action, f"no rule holds, which leads to {verdict.action!r}"
