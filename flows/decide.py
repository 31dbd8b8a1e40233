"""Ask one decision of one batch: gate, rules, arms, limits, routes, record."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from decisions.deciding.gate import Batch
from decisions.definition import Definition
from decisions.ledger.standings import Mandate
from flows import artifacts, sweep, wiring
from flows.retries import if_trying_again_helps
from flows.sweep import Decided, Judged


@flow(name="decide", flow_run_name="{decision}", validate_parameters=False)
async def decide(decision: str) -> Decided:
    """Open a case for every subject that the decision selects in its present batch.

    Run it as often as you like, or twice at once: what is open or decided already stays as it is.
    """
    found = []
    for mandate in sweep.mandates(wiring.current(), decision):
        batch = inspect_batch(mandate.definition)
        judged = None if batch.faults else evaluate_rules(mandate.definition)
        found.append(record_verdicts(mandate, batch, judged))
    decided = sweep.side_by_side(found)
    await artifacts.publish_run(decided)
    return decided


@task(
    name="inspect-batch",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=if_trying_again_helps,
)
def inspect_batch(definition: Definition) -> Batch:
    """Hold the batch against its data contract."""
    return sweep.inspect_batch(wiring.current(), definition)


@task(
    name="evaluate-rules",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=if_trying_again_helps,
)
def evaluate_rules(definition: Definition) -> Judged:
    """Let the warehouse find the subjects that a rule selects, and count those withheld."""
    return sweep.evaluate_rules(wiring.current(), definition)


@task(name="record-verdicts", cache_policy=NO_CACHE)
def record_verdicts(mandate: Mandate, batch: Batch, judged: Judged | None) -> Decided:
    """Draw arms, apply limits, route and record, in one transaction."""
    return sweep.record_verdicts(wiring.current(), mandate, batch, judged)
