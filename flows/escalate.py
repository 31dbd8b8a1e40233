"""Take the steps that have fallen due."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from flows import sweep, wiring
from flows.sweep import Escalated


@flow(name="escalate")
async def escalate() -> Escalated:
    """Take the one step that has fallen due on every unanswered or uncompleted case.

    Run it as often as you like, or twice at once: a step is taken once.
    """
    return take_due_steps()


@task(name="take-due-steps", cache_policy=NO_CACHE)
def take_due_steps() -> Escalated:
    """Take one step of every case that is due; a case at fault is logged and passed over."""
    escalated = sweep.escalate(wiring.current())
    for fault in escalated.faults:
        get_run_logger().error(fault)
    return escalated
