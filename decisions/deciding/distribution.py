"""The distributions of a batch, counted where its rows are: one aggregate query over all fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp

from decisions.deciding.drift import Distribution
from decisions.deciding.evaluation import relation_sql
from decisions.definition import Definition, FieldSpec
from decisions.ports import Warehouse
from decisions.rules.columns import as_text, cast, quoted

MOST_VALUES = 20
"""Bins of a text; what is rarer than its most frequent values counts as one."""
LEAST_SHARE = 0.01
"""A value that fewer rows hold is no bin of its own: it may name a person."""
_DECILES = tuple(tenth / 10 for tenth in range(1, 10))
_NUMBERS = ("float", "integer", "decimal")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted in a batch.

    Attributes:
        known: Fields whose reference exists, counted in its bins.
        new: Fields without a reference, counted in deciles and values of their own.
    """

    known: Mapping[str, Distribution]
    new: Mapping[str, Distribution]


NOTHING_MEASURED = Measured({}, {})


def measured(
    definition: Definition,
    warehouses: Mapping[str, Warehouse],
    references: Mapping[str, Distribution],
) -> Measured:
    """Count the fields that the definition watches for drift.

    One aggregate query; where a field has no reference yet, its bins are asked for before.

    Args:
        definition: The decision.
        warehouses: By connection name.
        references: The stored references by field; those of fields no longer watched do no harm.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    watched = definition.signal.gate.drift
    if not watched:
        return NOTHING_MEASURED
    warehouse = warehouses[definition.signal.connection]
    survey = _Survey(definition, warehouse)
    known = {name: references[name] for name in watched if name in references}
    bins = known | survey.bins([name for name in watched if name not in known])
    counted = survey.counted(bins)
    return Measured(
        known={name: counted[name] for name in known},
        new={name: counted[name] for name in watched if name not in known},
    )


class _Survey:
    """Questions about the values of one signal.

    Args:
        definition: The decision.
        warehouse: Who is asked.
    """

    def __init__(self, definition: Definition, warehouse: Warehouse) -> None:
        self._fields = definition.signal.fields
        self._warehouse = warehouse
        self._relation = relation_sql(definition.signal, warehouse)

    def bins(self, names: Sequence[str]) -> dict[str, Distribution]:
        """Return bins for fields, without counts: deciles of numbers, frequent values of texts."""
        numbers = [name for name in names if self._fields[name].type in _NUMBERS]
        found = dict(zip(numbers, self._edges(numbers), strict=True)) if numbers else {}
        return {
            name: Distribution(edges=found.get(name, ()), values=self._values(name), counts=())
            for name in names
        }

    def counted(self, bins: Mapping[str, Distribution]) -> dict[str, Distribution]:
        """Return the batch's own counts in given bins."""
        columns = [
            f"count(CASE WHEN {condition} THEN 1 END) AS n{place}_{bin_}"
            for place, (name, each) in enumerate(bins.items())
            for bin_, condition in enumerate(self._conditions(name, each))
        ]
        (row,) = self._rows(["count(*) AS n", *columns])
        return {
            name: Distribution(each.edges, each.values, _counts(each, row, place))
            for place, (name, each) in enumerate(bins.items())
        }

    def _edges(self, names: Sequence[str]) -> list[tuple[float, ...]]:
        columns = [
            f"percentile_disc({decile}) WITHIN GROUP (ORDER BY {self._value(name)}) "
            f"AS e{place}_{step}"
            for place, name in enumerate(names)
            for step, decile in enumerate(_DECILES)
        ]
        (row,) = self._rows(columns)
        found = [[row[f"e{place}_{step}"] for step in range(9)] for place in range(len(names))]
        return [tuple(sorted({float(edge) for edge in each if edge is not None})) for each in found]

    def _values(self, name: str) -> tuple[str, ...]:
        if self._fields[name].type in _NUMBERS:
            return ()
        value = self._value(name)
        rows = self._warehouse.select(
            f"SELECT {value} AS value, count(*) AS n, sum(count(*)) OVER () AS total "
            f"FROM {self._relation} AS s GROUP BY {value} "
            f"ORDER BY count(*) DESC, {value} LIMIT {MOST_VALUES + 1}"
        )
        frequent = [
            row["value"]
            for row in rows.to_pylist()
            if row["value"] is not None and row["n"] >= LEAST_SHARE * float(row["total"])
        ]
        return tuple(sorted(frequent[:MOST_VALUES]))

    def _conditions(self, name: str, bins: Distribution) -> list[str]:
        """Return what is counted of a field: the rows up to each edge or of each value, and any."""
        value = self._value(name)
        dialect = self._warehouse.dialect
        double = exp.DataType.build("DOUBLE", dialect="duckdb")
        edges = [exp.cast(exp.Literal.string(repr(edge)), double) for edge in bins.edges]
        texts = [exp.Literal.string(text) for text in bins.values]
        return [
            *(f"{value} <= {edge.sql(dialect)}" for edge in edges),
            *(f"{value} = {text.sql(dialect)}" for text in texts),
            f"{value} IS NOT NULL",
        ]

    def _value(self, name: str) -> str:
        dialect = self._warehouse.dialect
        spec: FieldSpec = self._fields[name]
        column = quoted(name, dialect)
        if spec.type in _NUMBERS:
            return cast(column, "float", dialect, leniently=True)
        read = cast(column, spec.type, dialect, leniently=True)
        return read if spec.type == "string" else as_text(read, dialect)

    def _rows(self, columns: Sequence[str]) -> list[dict[str, float]]:
        query = f"SELECT {', '.join(columns)} FROM {self._relation} AS s"
        rows: list[dict[str, float]] = self._warehouse.select(query).to_pylist()
        return rows


def _counts(bins: Distribution, row: Mapping[str, float], place: int) -> tuple[int, ...]:
    width = max(len(bins.edges), len(bins.values))
    found = [int(row[f"n{place}_{bin_}"]) for bin_ in range(width + 1)]
    given, rows = found.pop(), int(row["n"])
    if bins.edges:
        steps = [0, *found, given]
        inside = [up - low for low, up in pairwise(steps)]
    else:
        inside = [*found, given - sum(found)]
    return (*inside, rows - given)
