"""The examples of a definition, run against its rules: unit tests that come with the file."""

from dataclasses import dataclass
from datetime import date

import duckdb
from sqlglot import exp

from decisions.definition import Definition, Example
from decisions.errors import Place
from decisions.rules.expression import parse, sql
from decisions.rules.language import COLUMN_TYPES


@dataclass(frozen=True, slots=True)
class FailedExample:
    """An example that leads elsewhere than it says.

    Attributes:
        index: Its position among the examples, from 0.
        expected: The action it expects.
        found: The action the rules lead to.
        rule: The rule that selected it; None where no rule did.
    """

    index: int
    expected: str
    found: str
    rule: str | None

    @property
    def place(self) -> Place:
        """Where the example stands in its file."""
        return "examples", self.index

    @property
    def text(self) -> str:
        """What happened, in one sentence."""
        by = f"rule {self.rule!r} leads to" if self.rule else "no rule holds, which leads to"
        return f"example {self.index + 1} expects {self.expected!r}; {by} {self.found!r}"


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
            rule = _selecting_rule(definition, example, example.as_of or today, engine)
            found = definition.otherwise if rule is None else definition.rules[rule].do
            if found != example.expect:
                name = None if rule is None else definition.rules[rule].name
                failed.append(FailedExample(index, example.expect, found, name))
    return tuple(failed)


def _selecting_rule(
    definition: Definition, example: Example, as_of: date, engine: duckdb.DuckDBPyConnection
) -> int | None:
    """Return the position of the first rule that holds for an example, None for none."""
    columns = definition.columns
    branches = " ".join(
        f"WHEN {sql(parse(rule.when, columns), dialect='duckdb', as_of=as_of)} THEN {position}"
        for position, rule in enumerate(definition.rules)
    )
    record = ", ".join(
        f"CAST(? AS {COLUMN_TYPES[spec.type]}) AS {_quoted(name)}" for name, spec in columns.items()
    )
    values = [example.given.get(name) for name in columns]
    # Every part of the query is generated from checked trees and quoted names.
    query = f"SELECT CASE {branches} END FROM (SELECT {record}) AS record"
    row: tuple[int | None] = engine.execute(query, values).fetchone() or (None,)
    return row[0]


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")
