"""What to expect of a decision's measurement, read from past scores or from the ledger."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pydantic import BaseModel

from decisions.deciding.evaluation import selected
from decisions.definition import Definition
from decisions.effectiveness.about import Measure, measure_of
from decisions.effectiveness.ladder import worthwhile
from decisions.effectiveness.plan import Pace, Plan, pace_of, planned
from decisions.errors import NotUnderstood
from decisions.ledger.evidence import gather
from decisions.ledger.periods import new_subjects
from decisions.quantities import Difference, Share
from decisions.rules.columns import quoted
from flows.wiring import Layer


class Planned(BaseModel):
    """A plan with what it was made from.

    Attributes:
        decision: The decision.
        plan: What to expect.
        unit: Unit of the price.
        pace_from: Where the pace was read.
        base_from: Where the rate without action was read.
    """

    decision: str
    plan: Plan
    unit: str | None
    pace_from: str
    base_from: str


class _Seen(BaseModel):
    """How fast subjects came, and what one success of them is worth on average."""

    pace: Pace
    each: float | None
    source: str


def plan_now(
    layer: Layer,
    decision: str,
    *,
    scores: Sequence[Path] = (),
    baseline: str | None = None,
    effect: str | None = None,
) -> Planned:
    """Return what to expect of a decision's measurement.

    Args:
        layer: Everything assembled.
        decision: Which.
        scores: Files with past scores, a batch each; the ledger's runs if none is given.
        baseline: The rate without action, as written: ``71%``. Left out, the ledger's held-out
            subjects, else ``purpose.baseline``.
        effect: The smallest effect worth having, as written. Left out, as declared.

    Raises:
        NotUnderstood: There is no such decision, or something a plan needs is not known.
        ConnectorError: A file or a warehouse did not answer.
    """
    definition = layer.definition(decision)
    measure = measure_of(definition)
    if measure is None or definition.outcome is None:
        raise NotUnderstood(f"{decision} declares no outcome; there is nothing to plan for")
    if definition.holdout is None:
        raise NotUnderstood(
            f"{decision} declares no holdout; declare one of 10% to begin with, "
            "the plan then says which it needs"
        )
    with layer.ledger.counting() as connection:
        evidence = gather(connection, definition, as_of=layer.clock())
        drawn = new_subjects(connection, decision)
    treatment = evidence.treatment
    if scores:
        seen = _seen_in(layer, definition, scores)
    else:
        each = treatment.worth / treatment.valued if treatment.valued else None
        runs = f"{len(drawn)} run{'s' if len(drawn) != 1 else ''} of the ledger"
        seen = _Seen(pace=pace_of(drawn), each=each, source=runs)
    if not seen.pace.at_once:
        raise NotUnderstood(
            f"no subject of {decision} is known; give past scores with --scores FILE …"
        )
    control = evidence.control
    base, base_from = _base(definition, baseline, (control.total, control.observed))
    least = _least(measure, effect, seen.each) or worthwhile(measure, treatment)
    if least is None:
        raise NotUnderstood(
            f"{decision} does not say which effect is worth having; declare outcome.worthwhile or "
            "outcome.cost, or say --effect '4 points'"
        )
    plan = planned(
        measure,
        seen.pace,
        share=definition.holdout.share.of_one,
        base=base,
        worthwhile=least,
        matures_after=definition.outcome.matures_after,
        each=seen.each,
        now=layer.clock(),
    )
    return Planned(
        decision=decision,
        plan=plan,
        unit=measure.unit,
        pace_from=seen.source,
        base_from=base_from,
    )


def _seen_in(layer: Layer, definition: Definition, files: Sequence[Path]) -> _Seen:
    """Decide on each file as on a batch; count whom the rules select for the first time."""
    warehouse = layer.warehouses[definition.signal.connection]
    known: set[str] = set()
    batches: list[tuple[datetime, int]] = []
    worth: list[float] = []
    for file in files:
        if not file.is_file():
            raise NotUnderstood(f"{file} is no file; give Parquet or CSV with a batch of scores")
        source = {"table": None, "query": None, "path": str(file.resolve())}
        batch = definition.model_copy(
            update={"signal": definition.signal.model_copy(update=source)}
        )
        relation = warehouse.relation(table=None, query=None, path=source["path"])
        newest = f"max({quoted(definition.signal.scored_at, warehouse.dialect)})"
        found: Any = warehouse.select(f"SELECT {newest} AS at FROM {relation} AS r")
        at = found.column("at").to_pylist()[0]
        if at is None:
            raise NotUnderstood(f"{file} holds no score")
        as_of = at if at.tzinfo else at.replace(tzinfo=UTC)
        matches = selected(batch, layer.warehouses, as_of=as_of)
        subjects = set(matches.column("subject").to_pylist())
        batches.append((as_of, len(subjects - known)))
        known |= subjects
        mean = pc.mean(matches.column("value")).as_py()
        worth += [float(mean)] if mean is not None else []
    each = sum(worth) / len(worth) if worth else None
    count = f"{len(files)} file{'s' if len(files) > 1 else ''} of scores"
    return _Seen(pace=pace_of(batches), each=each, source=count)


def _base(definition: Definition, given: str | None, known: tuple[float, int]) -> tuple[float, str]:
    successes, observed = known
    if given is not None:
        return _rate(given, "--baseline"), "--baseline"
    if observed >= 30 and 0 < successes < observed:
        return successes / observed, f"{observed:,} held-out subjects"
    said = definition.purpose.baseline
    if said is None:
        raise NotUnderstood(
            f"the rate without action is not known; say it with --baseline 71%, or declare "
            f"purpose.baseline of {definition.decision}"
        )
    return _rate(said, "purpose.baseline"), "purpose.baseline"


def _rate(text: str, asked: str) -> float:
    try:
        share = Share.parse(text).of_one
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise NotUnderstood(f"{asked} is {text!r}; write a rate between 0% and 100%, like '71%'")
    return share


def _least(measure: Measure, given: str | None, each: float | None) -> float | None:
    if given is not None:
        try:
            return Difference.parse(given).size
        except ValueError as fault:
            raise NotUnderstood(f"--effect is {given!r}; {fault}") from None
    if measure.worthwhile is not None:
        return measure.worthwhile
    return measure.cost / each if measure.cost and each else None
