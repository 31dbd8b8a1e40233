"""Empty the outbox: hand over what is due, one message at a time."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import sending, wiring
from flows.sending import Delivered


@flow(name="deliver")
async def deliver() -> Delivered:
    """Hand over every message that is due.

    Run it as often as you like, or twice at once: a message is claimed by one sender.
    """
    return deliver_due()


@task(name="deliver-due", cache_policy=NO_CACHE)
def deliver_due() -> Delivered:
    """Claim and hand over, chunk by chunk, until nothing is due."""
    return sending.deliver(wiring.current())
