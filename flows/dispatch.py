"""The every-minute sweep: take the steps that are due, then hand over what is to be told."""

from prefect import flow

from flows import wiring
from flows.confirming import confirm_people
from flows.deliver import deliver_due
from flows.escalate import take_due_steps
from flows.heartbeat import beat
from flows.sweep import Dispatched


@flow(name="dispatch")
async def dispatch() -> Dispatched:
    """Take due steps and empty the outbox: one deployment for both, since it runs every minute."""
    done = Dispatched(escalated=take_due_steps(), delivered=deliver_due())
    beat(wiring.current().settings)
    confirm_people(wiring.current())
    return done
