"""Why the rules say what they say of one record: each condition, its value and its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlglot import exp

from decisions.deciding.record import Judge
from decisions.definition import Definition
from decisions.rules import expression
from decisions.rules.compiled import compiled
from decisions.rules.normal import normal
from decisions.rules.reading import spelt_out

OTHERWISE = "otherwise"
"""What decides on a record for which no rule holds."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, or a part of one, as it turned out.

    Attributes:
        text: The condition in the rule language.
        value: Whether it holds; None where that is unknown, because an input is missing.
        joined: How its parts are put together: AND, OR or NOT; empty for one without parts.
        inputs: The columns of a condition without parts, with their values.
        parts: What AND, OR or NOT put together.
    """

    text: str
    value: bool | None
    joined: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule, or one line of the operating boundary, says of a record.

    Attributes:
        name: The rule's name; of the boundary, why it withholds.
        action: The action it leads to; of the boundary, who is told.
        condition: Its condition.
    """

    name: str
    action: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a definition says of one record, before arms and limits.

    Attributes:
        rule: The rule that decides, or ``otherwise``.
        action: Where that leads, or nothing.
        withheld: Why the record is left to a person; None where it is not.
        rules: What each rule says, in their order; those behind the deciding one included.
        boundary: What each line of the operating boundary says.
    """

    rule: str
    action: str
    withheld: str | None
    rules: tuple[Ruling, ...]
    boundary: tuple[Ruling, ...]


def explained(definition: Definition, record: Mapping[str, Any], *, as_of: datetime) -> Explanation:
    """Return what a definition says of a record, and why.

    Args:
        definition: The decision.
        record: Values by column, numbers and truths also as texts; a column that is left out is
            unknown (NULL), as is what no batch would keep, such as NaN.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).

    Raises:
        NotUnderstood: A value cannot be read as its column's type.
    """
    columns, judge = definition.columns, Judge(definition)
    given = {name: spelt_out(record.get(name), spec.type) for name, spec in columns.items()}
    values = judge.values(given, as_of)
    verdict = judge.verdict(values)
    # What no batch would keep was not there for the rules either.
    known = {name: value for name, value in given.items() if values[name] is not None}

    def ruling(name: str, action: str, when: str) -> Ruling:
        tree = expression.parse(when, columns)
        return Ruling(name, action, _condition(tree, values, dict.fromkeys(columns) | known))

    return Explanation(
        rule=verdict.rule or OTHERWISE,
        action=verdict.action,
        withheld=verdict.withheld,
        rules=tuple(ruling(each.name, each.do, each.when) for each in definition.rules),
        boundary=tuple(ruling(each.because, each.to, each.when) for each in definition.withhold),
    )


def _inner(node: exp.Expr) -> exp.Expr:
    return node.unnest() if isinstance(node, exp.Paren) else node


def _operands(node: exp.Expr) -> list[exp.Expr]:
    """Return what AND, OR or NOT put together, chains of one word as one list."""
    if isinstance(node, exp.And | exp.Or):
        return [_inner(each) for each in node.flatten()]
    return [_inner(node.this)] if isinstance(node, exp.Not) else []


def _condition(node: exp.Expr, values: Mapping[str, Any], inputs: Mapping[str, Any]) -> Condition:
    node = _inner(node)
    parts = tuple(_condition(part, values, inputs) for part in _operands(node))
    named = {each.name for each in node.find_all(exp.Column)}
    return Condition(
        text=node.transform(_as_people_write).sql(dialect="duckdb", comments=False),
        value=compiled(normal(cast("exp.Expression", node)))(values),
        joined=type(node).__name__.upper() if parts else "",
        inputs={} if parts else {name: inputs[name] for name in inputs if name in named},
        parts=parts,
    )


def _as_people_write(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.CurrentDate):
        return exp.var("today()")
    if isinstance(node, exp.Interval):
        return exp.var(f"INTERVAL {node.this.name} {node.args['unit'].name}")
    return node
