"""What must hold of a whole batch before any of it is decided on; it fails closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from sqlglot import exp

from decisions.canonical import canonical_json, sha256
from decisions.deciding.evaluation import cast, holds_nul, literal_version, quoted, relation_sql
from decisions.definition import Context, Definition, FieldSpec, Signal
from decisions.errors import TemporaryFailure
from decisions.ports import Warehouse
from decisions.quantities import RowBound

_NUMBERS = (*exp.DataType.INTEGER_TYPES, *exp.DataType.REAL_TYPES)
_FITTING = {
    "float": _NUMBERS,
    "decimal": _NUMBERS,
    "integer": tuple(exp.DataType.INTEGER_TYPES),
    "string": (*exp.DataType.TEXT_TYPES, exp.DType.UUID, exp.DType.ENUM),
    "boolean": (exp.DType.BOOLEAN,),
    "date": (exp.DType.DATE, exp.DType.DATE32),
    "timestamp": tuple(set(exp.DataType.TEMPORAL_TYPES) - {exp.DType.DATE, exp.DType.DATE32}),
}
_SUBJECT_TYPES = (*_FITTING["string"], *_FITTING["integer"])


@dataclass(frozen=True, slots=True)
class Batch:
    """What the gate saw.

    Attributes:
        rows: Signals in the batch.
        fingerprint: Equal for equal batches; a summary's hash, not the rows'.
        faults: What does not hold, in words, with what was expected and found; empty if all does.
    """

    rows: int
    fingerprint: str
    faults: tuple[str, ...]


def inspected(
    definition: Definition,
    warehouses: Mapping[str, Warehouse],
    *,
    as_of: datetime,
    earlier: Sequence[int],
) -> Batch:
    """Look at the batch through one aggregate query a relation.

    Args:
        definition: The decision.
        warehouses: By connection name.
        as_of: The instant that ages are counted from (timezone-aware).
        earlier: Row counts of earlier runs that passed, latest first.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    signal = definition.signal
    warehouse = warehouses[signal.connection]
    relation = relation_sql(signal, warehouse)
    faults = _schema_faults(_signal_columns(signal), warehouse.columns(relation), warehouse.dialect)
    faults += _context_faults(definition, warehouses)
    if faults:
        return Batch(0, "", tuple(faults))
    query = _aggregate_query(signal, relation, warehouse.dialect)
    seen = warehouse.select(query).to_pylist()[0]
    fingerprint = sha256(canonical_json({key: str(value) for key, value in seen.items()}))
    if seen["rows"] == 0:
        return Batch(0, fingerprint, ("the batch is empty; at least one row was expected",))
    found = [
        *_row_faults(signal, seen["rows"], earlier),
        *_time_faults(signal, seen, as_of),
        *_key_faults(signal, seen),
        *_field_faults(signal, seen),
    ]
    return Batch(seen["rows"], fingerprint, tuple(found))


def confirm(
    batch: Batch,
    definition: Definition,
    warehouses: Mapping[str, Warehouse],
    *,
    as_of: datetime,
) -> None:
    """Look once more, after the rules, that they were asked of the batch that passed.

    Gate and rules are two queries, and a feed may replace its table between them.

    Args:
        batch: What the gate saw before; it had no faults.
        definition: The decision.
        warehouses: By connection name.
        as_of: The instant that ages are counted from (timezone-aware).

    Raises:
        TemporaryFailure: It is another batch by now; nothing of what the rules found may be used.
        ConnectorError: The warehouse did not answer.
    """
    again = inspected(definition, warehouses, as_of=as_of, earlier=())
    if again.faults or again.fingerprint != batch.fingerprint:
        raise TemporaryFailure(
            "the batch changed while it was being decided on; run again",
            connector=definition.signal.connection,
        )


def _signal_columns(signal: Signal) -> dict[str, tuple[str, tuple[Any, ...]]]:
    wanted = {
        signal.subject: ("text or a whole number", _SUBJECT_TYPES),
        signal.scored_at: ("timestamp", _FITTING["timestamp"]),
    }
    if literal_version(signal.model.version) is None:
        wanted[signal.model.version] = ("text or a whole number", _SUBJECT_TYPES)
    if signal.gate.unique:
        wanted.setdefault(signal.gate.unique, ("any type", ()))
    return wanted | _declared(signal.fields)


def _declared(fields: Mapping[str, FieldSpec]) -> dict[str, tuple[str, tuple[Any, ...]]]:
    return {name: (spec.type, _FITTING[spec.type]) for name, spec in fields.items()}


def _schema_faults(
    wanted: Mapping[str, tuple[str, tuple[Any, ...]]], found: Mapping[str, str], dialect: str
) -> list[str]:
    faults = []
    for name, (kind, fitting) in wanted.items():
        if name not in found:
            faults.append(f"column {name!r} is missing; found are {', '.join(map(repr, found))}")
        elif fitting and not exp.DataType.build(found[name], dialect=dialect).is_type(*fitting):
            faults.append(f"column {name!r} is {found[name]}; {kind} was expected")
    return faults


def _context_faults(definition: Definition, warehouses: Mapping[str, Warehouse]) -> list[str]:
    faults = []
    for context in definition.context:
        warehouse = warehouses[context.connection]
        relation = relation_sql(context, warehouse)
        wanted = {context.on: ("text or a whole number", _SUBJECT_TYPES)} | _declared(
            context.fields
        )
        name = context.table or context.path or "context query"
        missing = _schema_faults(wanted, warehouse.columns(relation), warehouse.dialect)
        faults += [f"{name}: {fault}" for fault in missing] or _double_keys(
            context, relation, warehouse, name
        )
    return faults


def _double_keys(context: Context, relation: str, warehouse: Warehouse, name: str) -> list[str]:
    key = quoted(context.on, warehouse.dialect)
    counts = warehouse.select(
        f"SELECT count({key}) - count(DISTINCT {key}) AS n FROM {relation} AS c"
    )
    surplus = counts.to_pylist()[0]["n"]
    if not surplus:
        return []
    return [f"{name}: {surplus:,} rows repeat a {context.on!r}; one row a subject was expected"]


def _aggregate_query(signal: Signal, relation: str, dialect: str) -> str:
    subject = quoted(signal.subject, dialect)
    scored_at = cast(quoted(signal.scored_at, dialect), "timestamp", dialect, leniently=True)
    unique = quoted(signal.gate.unique or signal.subject, dialect)
    score = cast(quoted(signal.score, dialect), "float", dialect, leniently=True)
    columns = [
        "count(*) AS rows",
        f"count({subject}) AS subjects",
        f"count(DISTINCT {subject}) AS distinct_subjects",
        f"count({unique}) - count(DISTINCT {unique}) AS repeated",
        f"CAST(min({subject}) AS VARCHAR) AS first_subject",
        f"CAST(max({subject}) AS VARCHAR) AS last_subject",
        f"min({score}) AS lowest_score",
        f"max({score}) AS highest_score",
        f"count({scored_at}) AS dated",
        f"min({scored_at}) AS oldest",
        f"max({scored_at}) AS newest",
        f"count(CASE WHEN {holds_nul(subject)} THEN 1 END) AS nul_subjects",
    ]
    if literal_version(signal.model.version) is None:
        version = quoted(signal.model.version, dialect)
        columns.append(f"count({version}) AS versions")
        columns.append(f"count(CASE WHEN {holds_nul(version)} THEN 1 END) AS nul_versions")
    return f"SELECT {', '.join(columns + _field_columns(signal, dialect))} FROM {relation} AS s"


def _field_columns(signal: Signal, dialect: str) -> list[str]:
    columns = []
    for place, (name, spec) in enumerate(signal.fields.items()):
        value = cast(quoted(name, dialect), spec.type, dialect, leniently=True)
        columns.append(f"count({quoted(name, dialect)}) - count({value}) AS unreadable_{place}")
        columns.append(f"count({value}) AS given_{place}")
        if spec.min is not None or spec.max is not None:
            columns += [f"min({value}) AS min_{place}", f"max({value}) AS max_{place}"]
            columns.append(f"{_outside(value, spec)} AS outside_{place}")
    return columns


def _outside(value: str, spec: FieldSpec) -> str:
    below = [] if spec.min is None else [f"{value} < {spec.min!r}"]
    above = [] if spec.max is None else [f"{value} > {spec.max!r}"]
    return f"count(CASE WHEN {' OR '.join(below + above)} THEN 1 END)"


def _row_faults(signal: Signal, rows: int, earlier: Sequence[int]) -> list[str]:
    faults = []
    for bound, is_short in ((signal.gate.rows.min, True), (signal.gate.rows.max, False)):
        limit = _row_limit(bound, earlier)
        if limit is not None and (rows < limit if is_short else rows > limit):
            side = "at least" if is_short else "at most"
            faults.append(f"{rows:,} rows; {side} {limit:,.0f} were expected ({bound})")
    return faults


def _row_limit(bound: RowBound | None, earlier: Sequence[int]) -> float | None:
    if bound is None:
        return None
    if bound.share is None:
        return bound.fixed
    counts = earlier[: bound.runs]
    return bound.share * median(counts) if counts else None


def _time_faults(signal: Signal, seen: Mapping[str, Any], as_of: datetime) -> list[str]:
    if seen["dated"] < seen["rows"]:
        missing = seen["rows"] - seen["dated"]
        return [f"{signal.scored_at}: missing in {missing:,} of {seen['rows']:,} rows; none may be"]
    newest = seen["newest"].astimezone(UTC)
    gate, faults = signal.gate, []
    if gate.max_age and as_of - newest > gate.max_age.elapsed:
        faults.append(
            f"the newest score is of {newest:%Y-%m-%d %H:%M} UTC, "
            f"{(as_of - newest).total_seconds() / 3600:,.0f} h old; at most {gate.max_age} "
            "was expected"
        )
    if newest - as_of > gate.max_future.elapsed:
        faults.append(
            f"the newest score is of {newest:%Y-%m-%d %H:%M} UTC, which is still to come; "
            f"at most {gate.max_future} ahead was expected"
        )
    return faults


def _key_faults(signal: Signal, seen: Mapping[str, Any]) -> list[str]:
    faults = []
    for name, given, nul in (
        (signal.subject, "subjects", "nul_subjects"),
        (signal.model.version, "versions", "nul_versions"),
    ):
        missing = seen["rows"] - seen.get(given, seen["rows"])
        if missing:
            faults.append(f"{name}: missing in {missing:,} of {seen['rows']:,} rows; none may be")
        if seen.get(nul):
            faults.append(f"{name}: {seen[nul]:,} rows hold a NUL character; none may")
    repeats = seen["subjects"] - seen["distinct_subjects"]
    if repeats:
        faults.append(
            f"{signal.subject}: {repeats:,} rows repeat a subject; one row each was expected"
        )
    if signal.gate.unique not in {None, signal.subject} and seen["repeated"]:
        faults.append(f"{signal.gate.unique}: {seen['repeated']:,} rows repeat a value; none may")
    return faults


def _field_faults(signal: Signal, seen: Mapping[str, Any]) -> list[str]:
    faults = []
    for place, (name, spec) in enumerate(signal.fields.items()):
        missing = seen["rows"] - seen[f"given_{place}"]
        allowed = 1.0 if spec.nulls == "allowed" else spec.nulls.of_one if spec.nulls else 0.0
        if missing > allowed * seen["rows"]:
            lost = seen[f"unreadable_{place}"]
            unreadable = f", {lost:,} of them unreadable as {spec.type}" if lost else ""
            faults.append(
                f"{name}: missing in {missing:,} of {seen['rows']:,} rows{unreadable}; "
                f"at most {spec.nulls or '0%'} was expected"
            )
        if seen.get(f"outside_{place}"):
            faults.append(
                f"{name}: {seen[f'outside_{place}']:,} of {seen['rows']:,} rows are outside "
                f"{_range(spec)}; found {seen[f'min_{place}']:g} to {seen[f'max_{place}']:g}"
            )
    return faults


def _range(spec: FieldSpec) -> str:
    if spec.max is None:
        return f"{spec.min:g} and above"
    return f"{spec.max:g} and below" if spec.min is None else f"{spec.min:g} to {spec.max:g}"
