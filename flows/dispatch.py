"""The every-minute sweep: take the steps that are due, then hand over what is to be told."""

from prefect import flow

from flows.deliver import deliver_due
from flows.escalate import take_due_steps
from flows.sweep import Dispatched


@flow(name="dispatch")
async def dispatch() -> Dispatched:
    """Take due steps and empty the outbox: one deployment for both, since it runs every minute."""
    return Dispatched(escalated=take_due_steps(), delivered=deliver_due())
