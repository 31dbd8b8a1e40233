"""The examples of a definition, run against its rules: unit tests that come with the file."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import duckdb

from decisions.deciding import boundary
from decisions.deciding.evaluation import RULE, WITHHELD, judged_sql
from decisions.definition import WITHHELD as EXPECTED_WITHHELD
from decisions.definition import Definition, Example
from decisions.errors import Place
from decisions.rules.columns import quoted
from decisions.rules.language import COLUMN_TYPES


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
    failed: list[FailedExample] = []
    with duckdb.connect(":memory:", config={"threads": "1"}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        for index, example in enumerate(definition.examples):
            verdict = _judged(definition, example, example.as_of or today, engine)
            found, because = _told(definition, *verdict)
            if found != example.expect:
                failed.append(FailedExample(index, example.expect, found, because))
    return tuple(failed)


def _told(definition: Definition, rule: int | None, withheld: int | None) -> tuple[str, str]:
    """Return what the definition says of a record, and by what, in words."""
    if withheld is not None:
        return EXPECTED_WITHHELD, f"it is withheld: {boundary.reason(definition, withheld)[0]}"
    if rule is None or rule == len(definition.rules):
        found = definition.otherwise
        return found, f"no rule holds, which leads to {found!r}"
    found = definition.rules[rule].do
    return found, f"rule {definition.rules[rule].name!r} leads to {found!r}"


def _judged(
    definition: Definition, example: Example, as_of: date, engine: duckdb.DuckDBPyConnection
) -> tuple[int | None, int | None]:
    """Return the position of the rule that decides on an example, and what withholds it."""
    columns = definition.columns
    record = ", ".join(
        f"CAST(? AS {COLUMN_TYPES[spec.type]}) AS {quoted(name, 'duckdb')}"
        for name, spec in columns.items()
    )
    values = [example.given.get(name) for name in columns]
    noon = datetime.combine(as_of, time(12), UTC)
    judged = judged_sql(definition, f"(SELECT {record})", dialect="duckdb", as_of=noon)
    # Every part of the query is generated from checked trees and quoted names.
    query = f'SELECT "{RULE}", "{WITHHELD}" FROM ({judged}) AS judged'
    row: tuple[int | None, int | None] = engine.execute(query, values).fetchone() or (None, None)
    return row
