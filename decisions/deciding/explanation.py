"""Why the rules say what they say of one record: each condition, its value and its inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import duckdb
from sqlglot import exp

from decisions import columnar
from decisions.deciding import boundary
from decisions.deciding.evaluation import RULE, WITHHELD, judged_sql
from decisions.definition import Definition
from decisions.errors import NotUnderstood
from decisions.rules import expression
from decisions.rules.columns import cast as kept
from decisions.rules.columns import quoted
from decisions.rules.language import COLUMN_TYPES

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
        record: Values by column; a column that is left out is unknown (NULL), as is what no
            batch would keep, such as NaN.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).

    Raises:
        NotUnderstood: A value cannot be read as its column's type.
    """
    rules = [(each.name, each.do, each.when) for each in definition.rules]
    bounds = [(each.because, each.to, each.when) for each in definition.withhold]
    trees = [expression.parse(when, definition.columns) for *_, when in rules + bounds]
    with columnar.session() as engine:
        asked = _Asked(definition, record, as_of, engine)
        place, code = asked.verdict()
        rulings = [
            Ruling(name, action, asked.condition(tree))
            for (name, action, _), tree in zip(rules + bounds, trees, strict=True)
        ]
    name, action = OTHERWISE, definition.otherwise
    if place is not None and place < len(rules):
        name, action, _ = rules[place]
    return Explanation(
        rule=name,
        action=action,
        withheld=None if code is None else boundary.reason(definition, code)[0],
        rules=tuple(rulings[: len(rules)]),
        boundary=tuple(rulings[len(rules) :]),
    )


class _Asked:
    """One record in DuckDB, where every condition is asked as it is asked of a batch."""

    def __init__(
        self,
        definition: Definition,
        record: Mapping[str, Any],
        as_of: datetime,
        engine: duckdb.DuckDBPyConnection,
    ) -> None:
        self._columns, self._engine, self._as_of = definition.columns, engine, as_of
        read = ", ".join(
            f"CAST(? AS {COLUMN_TYPES[spec.type]}) AS {quoted(name, 'duckdb')}"
            for name, spec in self._columns.items()
        )
        held = ", ".join(
            f"{kept(column, spec.type, 'duckdb')} AS {column}"
            for column, spec in ((quoted(n, "duckdb"), s) for n, s in self._columns.items())
        )
        engine.execute("DROP TABLE IF EXISTS record")
        try:
            engine.execute(
                f"CREATE TEMP TABLE record AS SELECT {held} FROM (SELECT {read})",
                [record.get(name) for name in self._columns],
            )
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            raise self._unreadable(record) from error
        self._judged = judged_sql(definition, "record", dialect="duckdb", as_of=as_of)

    def verdict(self) -> tuple[int | None, int | None]:
        """Return the position of the rule that decides, and the code of what withholds."""
        query = f'SELECT "{RULE}", "{WITHHELD}" FROM ({self._judged}) AS judged'
        rule, withheld = self._row(query)
        return rule, withheld

    def condition(self, tree: exp.Expression) -> Condition:
        """Return a condition with its parts, each with its value."""
        nodes = list(_parts(tree))
        day = self._as_of.astimezone(UTC).date()
        asked = [expression.sql(node, dialect="duckdb", as_of=day) for node in nodes]
        values = self._row(f"SELECT {', '.join(asked)} FROM record")
        columns = {node.name for node in tree.find_all(exp.Column)}
        names = [name for name in self._columns if name in columns]
        listed = ", ".join(quoted(name, "duckdb") for name in names) or "NULL"
        inputs = dict(zip(names, self._row(f"SELECT {listed} FROM record"), strict=False))
        return _condition(tree, {id(n): v for n, v in zip(nodes, values, strict=True)}, inputs)

    def _row(self, query: str) -> tuple[Any, ...]:
        return self._engine.execute(query).fetchone() or ()

    def _unreadable(self, record: Mapping[str, Any]) -> NotUnderstood:
        for name, spec in self._columns.items():
            try:
                query = f"SELECT CAST(? AS {COLUMN_TYPES[spec.type]})"
                self._engine.execute(query, [record.get(name)]).fetchone()
            except duckdb.Error:
                return NotUnderstood(
                    f"{name} is {record.get(name)!r}, which cannot be read as {spec.type}"
                )
        return NotUnderstood("a value of the record cannot be read")


def _inner(node: exp.Expr) -> exp.Expr:
    return node.unnest() if isinstance(node, exp.Paren) else node


def _operands(node: exp.Expr) -> list[exp.Expr]:
    """Return what AND, OR or NOT put together, chains of one word as one list."""
    if isinstance(node, exp.And | exp.Or):
        return [_inner(each) for each in node.flatten()]
    return [_inner(node.this)] if isinstance(node, exp.Not) else []


def _parts(node: exp.Expr) -> Iterator[exp.Expression]:
    node = _inner(node)
    yield cast("exp.Expression", node)
    for part in _operands(node):
        yield from _parts(part)


def _condition(
    node: exp.Expr, values: Mapping[int, bool | None], inputs: Mapping[str, Any]
) -> Condition:
    node = _inner(node)
    parts = tuple(_condition(part, values, inputs) for part in _operands(node))
    named = {each.name for each in node.find_all(exp.Column)}
    return Condition(
        text=node.transform(_as_people_write).sql(dialect="duckdb", comments=False),
        value=values[id(node)],
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
