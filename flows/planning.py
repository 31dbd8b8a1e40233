"""What to expect of a decision's measurement, read from past scores or from the ledger."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pydantic import BaseModel

from decisions.deciding.evaluation import selected
from decisions.deciding.simulation import Simulation
from decisions.definition import Definition, Holdout, Outcome
from decisions.effectiveness.about import Measure, measure_of
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.plan import Aim, Pace, Plan, pace_of, planned
from decisions.errors import NotUnderstood
from decisions.ledger.evidence import gather
from decisions.ledger.periods import new_subjects
from decisions.quantities import Difference, Share
from decisions.rules.columns import quoted
from flows import fitness
from flows.wiring import Layer


class Planned(BaseModel):
    """A plan with what it was made from.

    Attributes:
        decision: The decision.
        plan: What to expect.
        unit: Unit of the price.
        pace_from: Where the pace was read.
        base_from: Where the rate without action was read.
        withheld: Files of scores that the decision's own data contract would refuse, and why.
    """

    decision: str
    plan: Plan
    unit: str | None
    pace_from: str
    base_from: str
    withheld: list[str] = []


class _Seen(BaseModel):
    """How fast subjects came, and what one success of them is worth on average."""

    pace: Pace
    each: float | None
    source: str
    withheld: list[str] = []


class _Asked(BaseModel):
    """The declared measurement that is planned for."""

    definition: Definition
    measure: Measure
    outcome: Outcome
    holdout: Holdout


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
    asked = _asked(layer, decision)
    definition, measure = asked.definition, asked.measure
    with layer.ledger.counting() as connection:
        evidence = gather(connection, definition, as_of=layer.clock(), traced=False)
        drawn = new_subjects(connection, decision)
    treatment, control = evidence.treatment, evidence.control
    seen = _seen_in(layer, definition, scores) if scores else _seen_by_runs(drawn, treatment)
    if not seen.pace.at_once:
        raise NotUnderstood(
            f"no subject of {decision} is known; give past scores with --scores FILE …"
        )
    base, base_from = _base(definition, baseline, (control.total, control.observed))
    aim = Aim(
        measure=measure,
        pace=seen.pace,
        share=asked.holdout.share.of_one,
        base=base,
        worthwhile=_least(decision, measure, effect, seen.each or _worth(treatment)),
        matures_after=asked.outcome.matures_after,
        each=seen.each,
        now=layer.clock(),
    )
    return Planned(
        decision=decision,
        plan=planned(aim),
        unit=measure.unit,
        pace_from=seen.source,
        base_from=base_from,
        withheld=seen.withheld,
    )


def _asked(layer: Layer, decision: str) -> _Asked:
    definition = layer.definition(decision)
    measure = measure_of(definition)
    if measure is None or definition.outcome is None:
        raise NotUnderstood(f"{decision} declares no outcome; there is nothing to plan for")
    if definition.holdout is None:
        raise NotUnderstood(
            f"{decision} declares no holdout; declare one of 10% to begin with, "
            "the plan then says which it needs"
        )
    return _Asked(
        definition=definition,
        measure=measure,
        outcome=definition.outcome,
        holdout=definition.holdout,
    )


def _seen_by_runs(drawn: Sequence[tuple[datetime, int, int]], treatment: ArmOutcomes) -> _Seen:
    return _Seen(
        pace=pace_of(
            [(at, opened) for at, opened, _ in drawn],
            suppressed=sum(waiting for *_, waiting in drawn),
        ),
        each=_worth(treatment),
        source=f"{len(drawn)} run{'s' if len(drawn) != 1 else ''} of the ledger",
    )


def _seen_in(layer: Layer, definition: Definition, files: Sequence[Path]) -> _Seen:
    """Decide on each file as on a batch; count who would have got a case for the first time."""
    batches = sorted((_as_of(layer, definition, file), file) for file in files)
    simulation = Simulation(definition, layer.workspace.people)
    opened: set[str] = set()
    selected_at_all: set[str] = set()
    counts, worth = list[tuple[datetime, int]](), list[float]()
    refused = list[str]()
    for at, file in batches:
        faults = fitness.batch_faults(layer, _of_file(definition, file), as_of=at)
        refused += [f"{file.name} would be withheld: {fault}" for fault in faults]
        matches = selected(_of_file(definition, file), layer.warehouses, as_of=at)
        verdicts = simulation.limited(matches, at=at)
        through = verdicts.filter(pc.is_null(verdicts.column("reason")))
        subjects = set(through.column("subject").to_pylist())
        counts.append((at, len(subjects - opened)))
        opened |= subjects
        selected_at_all |= set(matches.column("subject").to_pylist())
        mean = pc.mean(matches.column("value")).as_py()
        worth += [float(mean)] if mean is not None else []
    return _Seen(
        pace=pace_of(counts, suppressed=len(selected_at_all - opened)),
        each=sum(worth) / len(worth) if worth else None,
        source=f"{len(files)} file{'s' if len(files) > 1 else ''} of scores",
        withheld=refused,
    )


def _of_file(definition: Definition, file: Path) -> Definition:
    source = {"table": None, "query": None, "path": str(file.resolve())}
    return definition.model_copy(update={"signal": definition.signal.model_copy(update=source)})


def _as_of(layer: Layer, definition: Definition, file: Path) -> datetime:
    """Return when a batch was scored last (timezone-aware)."""
    if not file.is_file():
        raise NotUnderstood(f"{file} is no file; give Parquet or CSV with a batch of scores")
    warehouse = layer.warehouses[definition.signal.connection]
    relation = warehouse.relation(table=None, query=None, path=str(file.resolve()))
    newest = f"max({quoted(definition.signal.scored_at, warehouse.dialect)})"
    found: Any = warehouse.select(f"SELECT {newest} AS at FROM {relation} AS r")
    at: datetime | None = found.column("at").to_pylist()[0]
    if at is None:
        raise NotUnderstood(f"{file} holds no score")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


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


def _least(decision: str, measure: Measure, given: str | None, each: float | None) -> float:
    if given is not None:
        try:
            return Difference.parse(given).size
        except ValueError as fault:
            raise NotUnderstood(f"--effect is {given!r}; {fault}") from None
    if measure.worthwhile is not None:
        return measure.worthwhile
    if not measure.cost or not each:
        raise NotUnderstood(
            f"{decision} does not say which effect is worth having; declare outcome.worthwhile or "
            "outcome.cost, or say --effect '4 points'"
        )
    return measure.cost / each


def _worth(treatment: ArmOutcomes) -> float | None:
    """Return what a success is worth on average among the subjects put forward, if known."""
    return treatment.worth / treatment.valued if treatment.valued else None
