"""The data contract of a signal whose columns fit: what one aggregate query says of its values.

Whatever single rows can break is told together with the condition that finds those rows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from sqlglot import exp

from decisions.canonical import canonical_json, sha256
from decisions.deciding.evaluation import literal_version
from decisions.definition import FieldSpec, Signal
from decisions.quantities import RowBound
from decisions.rules.columns import as_text, cast, holds_nul, quoted
from decisions.rules.language import COLUMN_TYPES
from decisions.suggestions import listed

EMPTY = "the batch is empty; at least one row was expected"
REPEATED_SUBJECTS, _REPEATED = "repeated_subjects", "repeated"
_COUNTED_ONCE = frozenset({REPEATED_SUBJECTS, _REPEATED})


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that break one demand, as SQL of the warehouse.

    Attributes:
        relation: What stands after FROM.
        subject: The column that names a row's subject.
        value: What to show of a row.
        broken: The condition that holds for the rows at fault.
        dialect: sqlglot's name of the warehouse's dialect.
    """

    relation: str
    subject: str
    value: str
    broken: str
    dialect: str

    def query(self, fault: int, most: int) -> str:
        """Return a SELECT of ``fault``, ``subject`` and ``value``, as texts, of so many rows."""
        return (
            f"SELECT {fault} AS fault, subject, value FROM (SELECT DISTINCT "
            f"{as_text(self.subject, self.dialect)} AS subject, "
            f"{as_text(self.value, self.dialect)} AS value "
            f"FROM {self.relation} AS s WHERE {self.broken}) AS d "
            f"ORDER BY CASE WHEN value IS NULL THEN 1 ELSE 0 END, subject LIMIT {most}"
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold of a batch.

    Attributes:
        text: What was expected and what was found.
        rows: The rows at fault; None where the batch as a whole is.
    """

    text: str
    rows: Rows | None = None


def aggregate_query(
    signal: Signal,
    relation: str,
    dialect: str,
    *,
    texts: Collection[str],
    distinct: Collection[str],
) -> str:
    """Return the query whose one row says everything the contract asks.

    Args:
        signal: What is demanded.
        relation: What stands after FROM.
        dialect: sqlglot's name of the warehouse's dialect.
        texts: Columns that hold text; others cannot hold a NUL character.
        distinct: Columns whose distinct values are counted, if they have to be: it takes longer
            than all the rest. Without, what the row says still tells one batch from another.
    """
    columns = _summary_columns(signal, dialect, texts) + _field_columns(signal, dialect)
    for name in distinct:
        column = quoted(name, dialect)
        repeats = REPEATED_SUBJECTS if name == signal.subject else _REPEATED
        columns.append(f"count({column}) - count(DISTINCT {column}) AS {repeats}")
    return f"SELECT {', '.join(columns)} FROM {relation} AS s"


def fingerprint(seen: Mapping[str, Any]) -> str:
    """Return the hash of the one row of ``aggregate_query``, its distinct counts left out."""
    kept = {key: str(value) for key, value in seen.items() if key not in _COUNTED_ONCE}
    return sha256(canonical_json(kept))


def _summary_columns(signal: Signal, dialect: str, texts: Collection[str]) -> list[str]:
    subject = quoted(signal.subject, dialect)
    scored_at = cast(quoted(signal.scored_at, dialect), "timestamp", dialect, leniently=True)
    score = cast(quoted(signal.score, dialect), "float", dialect, leniently=True)
    # Whole numbers need no common order of texts, and a cast of each would take the longest here.
    ends = [
        f"{end}({as_text(subject, dialect)})"
        if signal.subject in texts
        else as_text(f"{end}({subject})", dialect)
        for end in ("min", "max")
    ]
    columns = [
        "count(*) AS rows",
        f"count({subject}) AS subjects",
        f"{ends[0]} AS first_subject",
        f"{ends[1]} AS last_subject",
        f"min({score}) AS lowest_score",
        f"max({score}) AS highest_score",
        f"count({scored_at}) AS dated",
        f"min({scored_at}) AS oldest",
        f"max({scored_at}) AS newest",
    ]
    if signal.subject in texts:
        columns.append(f"count(CASE WHEN {holds_nul(subject, dialect)} THEN 1 END) AS nul_subjects")
    if literal_version(signal.model.version) is None:
        version = quoted(signal.model.version, dialect)
        columns.append(f"count({version}) AS versions")
        if signal.model.version in texts:
            columns.append(
                f"count(CASE WHEN {holds_nul(version, dialect)} THEN 1 END) AS nul_versions"
            )
    return columns


def _field_columns(signal: Signal, dialect: str) -> list[str]:
    columns = []
    for place, (name, spec) in enumerate(signal.fields.items()):
        value = cast(quoted(name, dialect), spec.type, dialect, leniently=True)
        columns.append(f"count({quoted(name, dialect)}) - count({value}) AS unreadable_{place}")
        columns.append(f"count({value}) AS given_{place}")
        if spec.min is not None or spec.max is not None:
            columns += [f"min({value}) AS min_{place}", f"max({value}) AS max_{place}"]
        if broken := _not_allowed(value, spec, dialect):
            columns.append(f"count(CASE WHEN {broken} THEN 1 END) AS outside_{place}")
    return columns


def _not_allowed(value: str, spec: FieldSpec, dialect: str) -> str | None:
    """Return SQL of whether a value is none the field may have; None where it may have any."""
    if spec.allowed:
        known = ", ".join(_literal(each, spec.type, dialect) for each in spec.allowed)
        return f"{value} NOT IN ({known})"
    below = [] if spec.min is None else [f"{value} < {spec.min!r}"]
    above = [] if spec.max is None else [f"{value} > {spec.max!r}"]
    return " OR ".join(below + above) or None


def _literal(value: object, kind: str, dialect: str) -> str:
    wanted = exp.DataType.build(COLUMN_TYPES[kind], dialect="duckdb")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return exp.cast(exp.Literal.string(text), wanted).sql(dialect)


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of one signal, held against what the aggregate query found.

    Attributes:
        signal: What is demanded.
        relation: What stands after FROM.
        dialect: sqlglot's name of the warehouse's dialect.
        as_of: The instant that ages are counted from (timezone-aware).
    """

    signal: Signal
    relation: str
    dialect: str
    as_of: datetime

    def violations(self, seen: Mapping[str, Any], earlier: Sequence[int]) -> list[Violation]:
        """Return what does not hold.

        Args:
            seen: The one row of ``aggregate_query``.
            earlier: Row counts of earlier runs that passed, latest first.
        """
        if seen["rows"] == 0:
            return [Violation(EMPTY)]
        return [
            *self._rows(seen["rows"], earlier),
            *self._times(seen),
            *self._keys(seen),
            *self._fields(seen),
        ]

    def _rows(self, rows: int, earlier: Sequence[int]) -> Iterator[Violation]:
        demanded = self.signal.gate.rows
        for bound, is_short in ((demanded.min, True), (demanded.max, False)):
            limit = _row_limit(bound, earlier)
            if limit is not None and (rows < limit if is_short else rows > limit):
                side = "at least" if is_short else "at most"
                yield Violation(f"{rows:,} rows; {side} {limit:,.0f} were expected ({bound})")

    def _times(self, seen: Mapping[str, Any]) -> Iterator[Violation]:
        gate, name = self.signal.gate, self.signal.scored_at
        scored_at = cast(self._column(name), "timestamp", self.dialect, leniently=True)
        if seen["dated"] < seen["rows"]:
            missing = seen["rows"] - seen["dated"]
            text = f"{name}: missing in {missing:,} of {seen['rows']:,} rows; none may be"
            yield Violation(text, self._where(f"{scored_at} IS NULL", name))
            return
        newest = seen["newest"].astimezone(UTC)
        if gate.max_age and self.as_of - newest > gate.max_age.elapsed:
            yield Violation(
                f"the newest score is of {newest:%Y-%m-%d %H:%M} UTC, "
                f"{(self.as_of - newest).total_seconds() / 3600:,.0f} h old; at most "
                f"{gate.max_age} was expected"
            )
        latest = self.as_of + gate.max_future.elapsed
        if newest > latest:
            ahead = f"{scored_at} > {_literal(latest.isoformat(), 'timestamp', self.dialect)}"
            yield Violation(
                f"the newest score is of {newest:%Y-%m-%d %H:%M} UTC, which is still to come; "
                f"at most {gate.max_future} ahead was expected",
                self._where(ahead, name),
            )

    def _keys(self, seen: Mapping[str, Any]) -> Iterator[Violation]:
        subject, unique = self.signal.subject, self.signal.gate.unique
        for name, given, nul in (
            (subject, "subjects", "nul_subjects"),
            (self.signal.model.version, "versions", "nul_versions"),
        ):
            missing = seen["rows"] - seen.get(given, seen["rows"])
            column = self._column(name)
            if missing:
                text = f"{name}: missing in {missing:,} of {seen['rows']:,} rows; none may be"
                yield Violation(text, self._where(f"{column} IS NULL", name))
            if seen.get(nul):
                text = f"{name}: {seen[nul]:,} rows hold a NUL character; none may"
                yield Violation(text, self._where(holds_nul(column, self.dialect), name))
        repeats = seen[REPEATED_SUBJECTS]
        if repeats:
            text = f"{subject}: {repeats:,} rows repeat a subject; one row each was expected"
            yield Violation(text, self._repeating(subject))
        if seen.get(_REPEATED):
            text = f"{unique}: {seen[_REPEATED]:,} rows repeat a value; none may"
            yield Violation(text, self._repeating(str(unique)))

    def _fields(self, seen: Mapping[str, Any]) -> Iterator[Violation]:
        for place, (name, spec) in enumerate(self.signal.fields.items()):
            value = cast(self._column(name), spec.type, self.dialect, leniently=True)
            missing = seen["rows"] - seen[f"given_{place}"]
            allowed = 1.0 if spec.nulls == "allowed" else spec.nulls.of_one if spec.nulls else 0.0
            if missing > allowed * seen["rows"]:
                lost = seen[f"unreadable_{place}"]
                unreadable = f", {lost:,} of them unreadable as {spec.type}" if lost else ""
                yield Violation(
                    f"{name}: missing in {missing:,} of {seen['rows']:,} rows{unreadable}; "
                    f"at most {spec.nulls or '0%'} was expected",
                    self._where(f"{value} IS NULL", name),
                )
            outside = seen.get(f"outside_{place}")
            if outside:
                broken = _not_allowed(value, spec, self.dialect)
                text = f"{name}: {outside:,} of {seen['rows']:,} rows are outside "
                found = "" if spec.allowed else f"; found {_extent(seen, place)}"
                yield Violation(text + _demanded(spec) + found, self._where(str(broken), name))

    def _column(self, name: str) -> str:
        return quoted(name, self.dialect)

    def _where(self, broken: str, shown: str) -> Rows:
        """Return the rows for which a condition holds; a missing subject has nothing to show."""
        subject, value = self._column(self.signal.subject), self._column(shown)
        return Rows(self.relation, subject, value, broken, self.dialect)

    def _repeating(self, name: str) -> Rows:
        column = self._column(name)
        return self._where(repeated(column, self.relation), name)


def repeated(column: str, relation: str) -> str:
    """Return SQL of whether a row's value stands in another row, too."""
    return (
        f"{column} IN (SELECT {column} FROM {relation} AS r GROUP BY {column} HAVING count(*) > 1)"
    )


def _row_limit(bound: RowBound | None, earlier: Sequence[int]) -> float | None:
    if bound is None:
        return None
    if bound.share is None:
        return bound.fixed
    counts = earlier[: bound.runs]
    return bound.share * median(counts) if counts else None


def _extent(seen: Mapping[str, Any], place: int) -> str:
    return f"{seen[f'min_{place}']:g} to {seen[f'max_{place}']:g}"


def _demanded(spec: FieldSpec) -> str:
    if spec.allowed:
        return listed(spec.allowed)
    if spec.max is None:
        return f"{spec.min:g} and above"
    return f"{spec.max:g} and below" if spec.min is None else f"{spec.min:g} to {spec.max:g}"
