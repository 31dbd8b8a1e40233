"""Whether what a decision would read now is as it declares: its batch, its outcomes, its proofs."""

from collections.abc import Iterator
from datetime import datetime

from decisions.deciding.contract import EMPTY
from decisions.deciding.evaluation import relation_sql
from decisions.deciding.gate import inspected
from decisions.deciding.schema import probe_misfits
from decisions.definition import Definition, Outcome, Proof
from decisions.errors import ConnectorError
from decisions.ports import Condition, Finding
from flows.wiring import Layer


def batch_seen(layer: Layer, definition: Definition) -> Iterator[Finding]:
    """Yield what the gate would say of the batch there is; how old it is, is told apart."""
    about = f"{definition.decision}: batch"
    signal = definition.signal
    gate = signal.gate.model_copy(update={"max_age": None})
    asked = definition.model_copy(update={"signal": signal.model_copy(update={"gate": gate})})
    earlier = layer.ledger.runs.earlier_counts(definition.decision)
    try:
        batch = inspected(asked, layer.warehouses, as_of=layer.clock(), earlier=earlier)
    except ConnectorError:
        return  # told already, as one of its sources
    if batch.faults == (EMPTY,):
        yield Finding(about=about, condition=Condition.DOUBTFUL, found=EMPTY)
        return
    for fault in batch.faults:
        yield Finding(
            about=about,
            condition=Condition.FAULTY,
            found=f"{fault}; the next run withholds all",
            advice=f"mend the source, or what signal and context of {definition.decision} declare",
        )
    if not batch.faults:
        yield Finding(about=about, found=f"{batch.rows:,} rows as they are declared")


def batch_faults(layer: Layer, definition: Definition, *, as_of: datetime) -> tuple[str, ...]:
    """Return what the gate would have said of a batch at an instant, runs before it aside.

    Args:
        layer: Everything assembled.
        definition: The decision, whose signal names the batch.
        as_of: The instant that ages are counted from (timezone-aware).

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    return inspected(definition, layer.warehouses, as_of=as_of, earlier=()).faults


def probe_seen(layer: Layer, decision: str, probe: Outcome | Proof, about: str) -> Finding:
    """Return whether the columns of outcomes or proofs are there and can be what they are for.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    warehouse = layer.warehouses[probe.connection]
    columns = warehouse.columns(relation_sql(probe, warehouse))
    unfit = probe_misfits(probe, columns, warehouse.dialect)
    if not unfit:
        return Finding(about=about, found=f"{len(columns)} columns in {probe.connection}")
    what = "outcome" if isinstance(probe, Outcome) else "intervention.proof"
    return Finding(
        about=about,
        condition=Condition.FAULTY,
        found="; ".join(each.text for each in unfit),
        advice=f"mend the source, or {what} of {decision}",
    )
