"""What the world shows of cases, as plain functions: proofs, outcomes, and corrections.

No Prefect here. Each may be run as often as one likes, or twice at once.
"""

from collections.abc import Collection
from datetime import timedelta

import pyarrow as pa
from pydantic import BaseModel

from decisions.definition import Definition, Relation
from decisions.errors import ConnectorError, NotUnderstood, PermanentFailure
from decisions.outcomes import describes, outcomes, proofs
from decisions.ports import Warehouse
from decisions.quantities import Span
from flows.judging import Judged, judge_models
from flows.wiring import Layer


class Observed(BaseModel):
    """What one look found.

    Attributes:
        proven: Interventions newly proven.
        outcomes: Outcomes newly recorded, missing ones included.
        missing: Those among them for which no row was found.
        judged: Batches whose scores were judged on outcomes nobody acted on.
        corrected: Outcomes known before that now read otherwise; both are kept.
        faults: Probes that did not answer, and why; the others went on.
        unproven: Decisions whose proofs could not be asked for; their outcomes wait for that.
    """

    proven: int = 0
    outcomes: int = 0
    missing: int = 0
    judged: int = 0
    corrected: int = 0
    faults: list[str] = []
    unproven: list[str] = []


def look_for_proofs(layer: Layer) -> Observed:
    """Ask the probes which interventions really happened, in either arm."""
    found = Observed()
    for definition, cases in layer.ledger.results.awaiting_proof():
        try:
            found.proven += _prove(layer, definition, cases)
        except ConnectorError as error:
            found.faults.append(f"{definition.decision}: {error}")
            found.unproven.append(definition.decision)
    return found


def look_for_outcomes(layer: Layer, *, unproven: Collection[str] = ()) -> Observed:
    """Ask the probes for the outcomes of the cases whose window has closed.

    Args:
        layer: Everything assembled.
        unproven: Decisions to leave for later: once its outcome is known, nobody looks for a
            case's proof any more.
    """
    found = Observed()
    for definition, cases in layer.ledger.results.awaiting_outcome(layer.clock()):
        if definition.outcome is None or definition.decision in unproven:
            continue
        try:
            warehouse = _warehouse(layer, definition.outcome)
            seen = outcomes(definition.outcome, warehouse, cases)
        except ConnectorError as error:
            found.faults.append(f"{definition.decision}: {error}")
            continue
        found.outcomes += layer.ledger.results.record_outcomes(seen)
        found.missing += seen.column("state").to_pylist().count("missing")
    return found


def look_again(layer: Layer, back: timedelta) -> Observed:
    """Ask the probes once more for outcomes they have given lately, and keep what differs.

    A row that is gone is no news: what was observed stays.

    Args:
        layer: Everything assembled.
        back: How long ago an outcome may have been recorded.
    """
    found = Observed()
    for definition, cases in layer.ledger.results.looked_up(layer.clock() - back):
        if definition.outcome is None:
            continue
        try:
            seen = outcomes(definition.outcome, _warehouse(layer, definition.outcome), cases)
        except ConnectorError as error:
            found.faults.append(f"{definition.decision}: {error}")
            continue
        taken = layer.ledger.results.correct(
            _as_rows(cases, seen),
            decision=definition.decision,
            source=describes(definition.outcome),
        )
        found.corrected += taken.corrected
    return found


def observe(layer: Layer, again: str | None = None) -> Observed:
    """Record the proofs and outcomes that have become known.

    Args:
        layer: Everything assembled.
        again: A span such as 90d: outcomes recorded so lately are looked up once more.

    Raises:
        NotUnderstood: It is no span of elapsed time.
    """
    back = span_back(again)
    proven = look_for_proofs(layer)
    found = both(proven, look_for_outcomes(layer, unproven=proven.unproven))
    found = with_judged(found, judge_models(layer))
    return with_corrections(found, look_again(layer, back)) if back else found


def span_back(written: str | None) -> timedelta | None:
    """Return how far back to look.

    Raises:
        NotUnderstood: It is no span of elapsed time.
    """
    try:
        return Span.parse(written).elapsed if written else None
    except ValueError as error:
        raise NotUnderstood(f"how far back to look is {written!r}; {error}") from None


def with_judged(found: Observed, judged: Judged) -> Observed:
    """Return what was found, and how many batches were judged."""
    faults = found.faults + judged.faults
    return found.model_copy(update={"judged": judged.batches, "faults": faults})


def with_corrections(found: Observed, corrections: Observed) -> Observed:
    """Return what was found, and what was found otherwise than before."""
    faults = found.faults + corrections.faults
    return found.model_copy(update={"corrected": corrections.corrected, "faults": faults})


def _as_rows(cases: pa.Table, seen: pa.Table) -> pa.Table:
    """Return what a probe observed as rows that may correct what is known."""
    import pyarrow.compute as pc

    rows = pa.table(
        {
            "line": seen.column("case_id"),
            "case": cases.sort_by("case_id").column("key"),
            "subject": pa.nulls(seen.num_rows, pa.string()),
            "value": seen.column("value"),
            "at": seen.column("observed_at"),
            "censored": pa.nulls(seen.num_rows, pa.string()),
        }
    )
    return rows.filter(pc.equal(seen.column("state"), "observed"))


def both(proofs_found: Observed, outcomes_found: Observed) -> Observed:
    """Return what the two looks found together."""
    faults = proofs_found.faults + outcomes_found.faults
    return outcomes_found.model_copy(update={"proven": proofs_found.proven, "faults": faults})


def _prove(layer: Layer, definition: Definition, cases: pa.Table) -> int:
    proof = definition.intervention and definition.intervention.proof
    if not proof or definition.outcome is None:
        return 0
    window = definition.outcome.window.elapsed
    warehouse = _warehouse(layer, proof)
    proven = proofs(proof, warehouse, cases, window=window, now=layer.clock())
    return layer.ledger.results.record_proofs(proven, what=f"a row in {describes(proof)}")


def _warehouse(layer: Layer, relation: Relation) -> Warehouse:
    try:
        return layer.warehouses[relation.connection]
    except KeyError:
        raise PermanentFailure(
            "is named by a version that cases are pinned to, but is connected no more",
            connector=relation.connection,
        ) from None
