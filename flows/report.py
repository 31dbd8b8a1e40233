"""Write down what people did, and what it did."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import artifacts, wiring
from flows.announcing import announce
from flows.reporting import Reported, overview_now, report_now


@flow(name="report")
async def report(
    decision: str | None = None,
    month: str | None = None,
    *,
    look: bool = False,
    tell: bool = True,
) -> list[Reported]:
    """Write the effectiveness reports, and queue word of them.

    Args:
        decision: Of which decision; of all in the workspace if left out.
        month: The month whose cases the funnel counts, like 2026-11 or last; everything so far if
            left out. A month that has ended is a look, whose verdict stands.
        look: Whether to take an extra look now.
        tell: Whether owners and their managers hear of it; each does once a month.
    """
    written = write_reports(decision, month, look=look)
    for each in written:
        await artifacts.publish_report(each.report)
    if tell:
        queue_word(written)
    return written


@task(name="queue-word-of-reports", cache_policy=NO_CACHE)
def queue_word(written: list[Reported]) -> None:
    """Queue a message to everybody who hears of these reports."""
    for each in written:
        announce(wiring.current(), each.report)


@task(name="write-reports", cache_policy=NO_CACHE)
def write_reports(decision: str | None, month: str | None, *, look: bool = False) -> list[Reported]:
    """Count in the ledger, judge, and write page and numbers."""
    names = [decision] if decision else []
    layer = wiring.current()
    written = report_now(layer, names, month=month, look=look)
    if decision is None:
        overview_now(layer, written)
    return written
