"""What must hold of a whole batch before any of it is decided on; it fails closed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from decisions import columnar
from decisions.deciding import contract, schema
from decisions.deciding.contract import Violation
from decisions.deciding.distribution import NOTHING_MEASURED, Measured
from decisions.deciding.evaluation import relation_sql
from decisions.deciding.repeats import are_counted_apart, repeats_query
from decisions.definition import Definition, Signal
from decisions.errors import TemporaryFailure, Unreadable
from decisions.ports import Stamped, Warehouse
from decisions.rules.columns import cast, quoted
from decisions.suggestions import cut

MOST_EXAMPLES = 20
"""Keys fetched for each fault."""
_LONGEST_SHOWN = 100
"""Characters of a key or value that is kept as an example."""


@dataclass(frozen=True, slots=True)
class ExampleKey:
    """A subject whose row is at fault.

    Attributes:
        fault: Which fault of the batch, from 0.
        subject: The subject's key; None where the row has none.
        value: What was found in its row; None where nothing was.
    """

    fault: int
    subject: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What the gate saw.

    Attributes:
        rows: Signals in the batch.
        fingerprint: Equal for equal batches; a summary's hash, not the rows'.
        faults: What does not hold, in words, with what was expected and found; empty if all does.
        examples: At most 20 keys for each fault that lies in single rows.
        measured: How the fields are distributed that are watched for drift.
        stamps: What tells cheaply that the sources are as they were before the gate read them;
            empty where nothing does.
    """

    rows: int
    fingerprint: str
    faults: tuple[str, ...]
    examples: tuple[ExampleKey, ...] = ()
    measured: Measured = NOTHING_MEASURED
    stamps: tuple[str, ...] = ()


def inspected(
    definition: Definition,
    warehouses: Mapping[str, Warehouse],
    *,
    as_of: datetime,
    earlier: Sequence[int],
) -> Batch:
    """Look at the batch through one aggregate query; a second one only for what is at fault.

    Args:
        definition: The decision.
        warehouses: By connection name.
        as_of: The instant that ages are counted from (timezone-aware).
        earlier: Row counts of earlier runs that passed, latest first.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    warehouse, stamps = warehouses[definition.signal.connection], _stamps(definition, warehouses)
    try:
        rows, fingerprint, found = _seen(definition, warehouse, as_of=as_of, earlier=earlier)
        found += schema.context_violations(definition, warehouses)
        examples = _examples(found, warehouse)
    except Unreadable as fault:
        return Batch(0, "", (str(fault),))
    texts = tuple(each.text for each in found)
    return Batch(rows, fingerprint, texts, tuple(examples), stamps=stamps)


def confirm(batch: Batch, definition: Definition, warehouses: Mapping[str, Warehouse]) -> None:
    """Look once more, after the rules, that they were asked of the batch that passed.

    Gate and rules are two queries, and a feed may replace its table between them. Files that bear
    their old stamps are not read again; of anything else, what takes long to count is not counted.

    Args:
        batch: What the gate saw before; it had no faults.
        definition: The decision.
        warehouses: By connection name.

    Raises:
        TemporaryFailure: It is another batch by now; nothing of what the rules found may be used.
        ConnectorError: The warehouse did not answer.
    """
    if batch.stamps and _stamps(definition, warehouses) == batch.stamps:
        return
    warehouse = warehouses[definition.signal.connection]
    try:
        _, _, fingerprint = _looked_at(definition, warehouse, distinct=False)
        is_other = fingerprint != batch.fingerprint
        is_other = is_other or bool(schema.context_violations(definition, warehouses))
    except Unreadable:
        is_other = True
    if is_other:
        raise TemporaryFailure(
            "the batch changed while it was being decided on; run again",
            connector=definition.signal.connection,
        )


def _stamps(definition: Definition, warehouses: Mapping[str, Warehouse]) -> tuple[str, ...]:
    """Return the stamp of the signal and of each context; nothing where one has none."""
    found = []
    for source in (definition.signal, *definition.context):
        warehouse = warehouses[source.connection]
        if source.path is None or not isinstance(warehouse, Stamped):
            return ()
        found.append(warehouse.stamp(source.path))
    return tuple(each for each in found if each) if all(found) else ()


def _seen(
    definition: Definition, warehouse: Warehouse, *, as_of: datetime, earlier: Sequence[int]
) -> tuple[int, str, list[Violation]]:
    """Return rows, fingerprint (empty where columns do not fit) and what the signal violates."""
    signal = definition.signal
    relation = relation_sql(signal, warehouse)
    misfits, seen, fingerprint = _looked_at(definition, warehouse)
    if misfits:
        rows, found = schema.violations(signal, misfits, relation, warehouse)
        return rows, "", found
    told = contract.Contract(signal, relation, warehouse.dialect, as_of)
    return seen["rows"], fingerprint, told.violations(seen, earlier)


def _looked_at(
    definition: Definition, warehouse: Warehouse, *, distinct: bool = True
) -> tuple[list[schema.Misfit], Mapping[str, Any], str]:
    """Return the columns that do not fit; if all do, what the batch sums up to and its hash."""
    signal, dialect = definition.signal, warehouse.dialect
    relation = relation_sql(signal, warehouse)
    columns = warehouse.columns(relation)
    misfits = schema.misfits(signal, columns, dialect)
    if misfits:
        return misfits, {}, ""
    texts, unique = schema.texts(columns, dialect), {signal.subject}
    unique |= {signal.gate.unique} if signal.gate.unique else set()
    apart = distinct and are_counted_apart(signal, dialect, texts)
    query = contract.aggregate_query(
        signal,
        relation,
        dialect,
        texts=texts,
        distinct=sorted(unique - {signal.subject} if apart else unique) if distinct else (),
    )
    seen = columnar.dicts(warehouse.select(query))[0]
    if apart:
        seen |= columnar.dicts(warehouse.select(repeats_query(signal, relation, seen)))[0]
    return [], seen, contract.fingerprint(seen)


def _examples(found: Sequence[Violation], warehouse: Warehouse) -> Iterable[ExampleKey]:
    queries = [
        f"SELECT * FROM ({each.rows.query(place, MOST_EXAMPLES)}) AS e{place}"
        for place, each in enumerate(found)
        if each.rows is not None
    ]
    if not queries:
        return ()
    rows = warehouse.select(" UNION ALL ".join(queries)).to_pylist()
    examples = [
        ExampleKey(row["fault"], _shown(row["subject"]), _shown(row["value"])) for row in rows
    ]
    # Databases owe no order to a union, whatever the order of its parts.
    return sorted(examples, key=lambda each: (each.fault, each.value is None, each.subject or ""))


def _shown(text: str | None) -> str | None:
    """Return what may be kept of a key or value: short, and without the NUL no ledger can hold."""
    return None if text is None else cut(text.replace("\0", "\N{SYMBOL FOR NULL}"), _LONGEST_SHOWN)


def newest_score(signal: Signal, warehouse: Warehouse) -> datetime | None:
    """Return when the newest score was made (timezone-aware, UTC), or None if there is none.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    dialect = warehouse.dialect
    scored_at = cast(quoted(signal.scored_at, dialect), "timestamp", dialect, leniently=True)
    relation = relation_sql(signal, warehouse)
    found = warehouse.select(f"SELECT max({scored_at}) AS newest FROM {relation} AS r")
    newest: datetime | None = found.column(0).cast(pa.timestamp("us", tz="UTC"))[0].as_py()
    return newest
