"""The examples of a definition, run against its rules: unit tests that come with the file."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from decisions.deciding.record import Judge, RecordVerdict
from decisions.definition import WITHHELD, Definition
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
        noon = datetime.combine(example.as_of or today, time(12), UTC)
        found, because = _told(definition, judge.decide(example.given, noon))
        if found != example.expect:
            failed.append(FailedExample(index, example.expect, found, because))
    return tuple(failed)


def _told(definition: Definition, verdict: RecordVerdict) -> tuple[str, str]:
    """Return what the definition says of a record, and by what, in words."""
    if verdict.withheld is not None:
        return WITHHELD, f"it is withheld: {verdict.withheld}"
    if verdict.rule in {rule.name for rule in definition.rules}:
        return verdict.action, f"rule {verdict.rule!r} leads to {verdict.action!r}"
    return verdict.action, f"no rule holds, which leads to {verdict.action!r}"
