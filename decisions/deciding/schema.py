"""Whether the columns of a batch are there and of the declared types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from decisions.deciding.contract import EMPTY, Rows, Violation, repeated
from decisions.deciding.evaluation import literal_version, relation_sql
from decisions.definition import Context, Definition, FieldSpec, Outcome, Proof, Signal
from decisions.ports import Warehouse
from decisions.rules.columns import can_try, cast, quoted

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
_KEY = "text or a whole number"
_KEY_TYPES = (*_FITTING["string"], *_FITTING["integer"])
_DECIMALS = tuple(exp.DataType.REAL_TYPES)
_TIMES = (*_FITTING["timestamp"], *_FITTING["date"], *_FITTING["string"])
_MEASURES = (*_NUMBERS, *_FITTING["boolean"], *_FITTING["string"])
_Wanted = Mapping[str, tuple[str, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A column that is missing or of another type.

    Attributes:
        column: Its name.
        text: What was expected and found.
        is_missing: Whether it is not there at all.
        kind: The type it was to have, where it is text that might be read as that; else None.
    """

    column: str
    text: str
    is_missing: bool = False
    kind: str | None = None


def misfits(signal: Signal, found: Mapping[str, str], dialect: str) -> list[Misfit]:
    """Return the signal's columns that are missing or of another type than declared.

    Args:
        signal: What is demanded.
        found: Column names and types, in the dialect's own words.
        dialect: sqlglot's name of the dialect.
    """
    wanted = {
        signal.subject: (_KEY, _KEY_TYPES),
        signal.scored_at: ("timestamp", _FITTING["timestamp"]),
    }
    if literal_version(signal.model.version) is None:
        wanted[signal.model.version] = (_KEY, _KEY_TYPES)
    if signal.gate.unique:
        wanted.setdefault(signal.gate.unique, ("any type", ()))
    unfit = _misfits(wanted | _declared(signal.fields), found, dialect)
    return [_with_remedy(each, signal, found, dialect) for each in unfit]


def _with_remedy(misfit: Misfit, signal: Signal, found: Mapping[str, str], dialect: str) -> Misfit:
    """Say what to do about a version such as 2.1, which a CSV file gives as a number.

    Read as text it would not say which version it was: 2.1 and 2.10 are the same number.
    """
    kind = found.get(misfit.column)
    if misfit.column != signal.model.version or misfit.column in signal.fields or kind is None:
        return misfit
    if not exp.DataType.build(kind, dialect=dialect).is_type(*_DECIMALS):
        return misfit
    remedy = "write versions as text, such as v2.1, or one for all in quotes: version: \"'2.1'\""
    return replace(misfit, text=f"{misfit.text}; {remedy}")


def probe_misfits(probe: Outcome | Proof, found: Mapping[str, str], dialect: str) -> list[Misfit]:
    """Return the columns of an outcome or a proof that are missing or cannot be what they are for.

    Args:
        probe: What names the columns.
        found: Column names and types, in the dialect's own words.
        dialect: sqlglot's name of the dialect.
    """
    wanted: dict[str, tuple[str, tuple[Any, ...]]] = {probe.on: ("any type", ())}
    if isinstance(probe, Outcome):
        wanted[probe.measure] = ("a number or a boolean", _MEASURES)
    if probe.at:
        wanted[probe.at] = ("a timestamp or a date", _TIMES)
    if dialect == "duckdb":  # where names of columns are the same in any case
        spelt = {name.lower(): name for name in found}
        wanted = {spelt.get(name.lower(), name): demand for name, demand in wanted.items()}
    return _misfits(wanted, found, dialect)


def texts(found: Mapping[str, str], dialect: str) -> set[str]:
    """Return the columns that can hold a NUL character: all but whole numbers.

    Args:
        found: Column names and types, in the dialect's own words.
        dialect: sqlglot's name of the dialect.
    """
    types = {name: exp.DataType.build(kind, dialect=dialect) for name, kind in found.items()}
    return {name for name, kind in types.items() if not kind.is_type(*_FITTING["integer"])}


def violations(
    signal: Signal, misfits: list[Misfit], relation: str, warehouse: Warehouse
) -> tuple[int, list[Violation]]:
    """Return the batch's row count and what is wrong with its columns.

    A text where another type belongs mostly is the doing of a few cells, in a file above all:
    they are counted, and told with their subjects.

    Args:
        signal: What is demanded.
        misfits: What ``misfits`` returned; at least one.
        relation: What stands after FROM.
        warehouse: Who is asked.
    """
    dialect = warehouse.dialect
    texts = [each for each in misfits if each.kind]
    counts = [
        f", count({quoted(each.column, dialect)}) AS given_{place}, "
        f"count({_read(each, dialect)}) AS read_{place}"
        for place, each in enumerate(texts)
    ]
    query = f"SELECT count(*) AS rows{''.join(counts)} FROM {relation} AS s"
    seen = warehouse.select(query).to_pylist()[0]
    if seen["rows"] == 0:
        # A file of a heading alone says nothing of its columns' types.
        missing = [Violation(each.text) for each in misfits if each.is_missing]
        return 0, [*missing, Violation(EMPTY)]
    names = {each.column for each in misfits}
    subject = None if signal.subject in names else quoted(signal.subject, dialect)
    found = []
    for each in misfits:
        if each.kind is None:
            found.append(Violation(each.text))
            continue
        place = texts.index(each)
        lost = seen[f"given_{place}"] - seen[f"read_{place}"]
        found.append(_of_text(each, lost, seen[f"given_{place}"], relation, subject, dialect))
    return seen["rows"], found


def context_violations(
    definition: Definition, warehouses: Mapping[str, Warehouse]
) -> list[Violation]:
    """Return what is wrong with the columns and keys of the contexts."""
    found = []
    for context in definition.context:
        warehouse = warehouses[context.connection]
        relation = relation_sql(context, warehouse)
        wanted = {context.on: (_KEY, _KEY_TYPES)} | _declared(context.fields)
        name = context.table or context.path or "context query"
        unfit = _misfits(wanted, warehouse.columns(relation), warehouse.dialect)
        found += [Violation(f"{name}: {each.text}") for each in unfit] or _double_keys(
            context, relation, warehouse, name
        )
    return found


def _declared(fields: Mapping[str, FieldSpec]) -> dict[str, tuple[str, tuple[Any, ...]]]:
    return {name: (spec.type, _FITTING[spec.type]) for name, spec in fields.items()}


def _misfits(wanted: _Wanted, found: Mapping[str, str], dialect: str) -> list[Misfit]:
    unfit = []
    for name, (kind, fitting) in wanted.items():
        if name not in found:
            text = f"column {name!r} is missing; found are {', '.join(map(repr, found))}"
            unfit.append(Misfit(name, text, is_missing=True))
            continue
        is_of = exp.DataType.build(found[name], dialect=dialect).is_type
        if fitting and not is_of(*fitting):
            text = f"column {name!r} is {found[name]}; {kind} was expected"
            readable = kind in _FITTING and is_of(*exp.DataType.TEXT_TYPES) and can_try(dialect)
            unfit.append(Misfit(name, text, kind=kind if readable else None))
    return unfit


def _read(misfit: Misfit, dialect: str) -> str:
    return cast(quoted(misfit.column, dialect), str(misfit.kind), dialect, leniently=True)


def _of_text(
    misfit: Misfit, lost: int, given: int, relation: str, subject: str | None, dialect: str
) -> Violation:
    if not lost:
        return Violation(f"{misfit.text}; all of its values could be read as one, so cast it")
    column = quoted(misfit.column, dialect)
    broken = f"{column} IS NOT NULL AND {_read(misfit, dialect)} IS NULL"
    text = f"{misfit.text}; {lost:,} of {given:,} values cannot be read as one"
    return Violation(text, Rows(relation, subject, column, broken, dialect) if subject else None)


def _double_keys(
    context: Context, relation: str, warehouse: Warehouse, name: str
) -> list[Violation]:
    key = quoted(context.on, warehouse.dialect)
    counts = warehouse.select(
        f"SELECT count({key}) - count(DISTINCT {key}) AS n FROM {relation} AS c"
    )
    surplus = counts.to_pylist()[0]["n"]
    if not surplus:
        return []
    text = f"{name}: {surplus:,} rows repeat a {context.on!r}; one row a subject was expected"
    return [Violation(text, Rows(relation, key, key, repeated(key, relation), warehouse.dialect))]
