"""Write down what people did, and what it did."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import artifacts, wiring
from flows.reporting import Reported, report_now


@flow(name="report")
async def report(
    decision: str | None = None, month: str | None = None, *, look: bool = False
) -> list[Reported]:
    """Write the effectiveness reports.

    Args:
        decision: Of which decision; of all in the workspace if left out.
        month: The month whose cases the funnel counts, like 2026-11 or last; everything so far if
            left out. A month that has ended is a look, whose verdict stands.
        look: Whether to take an extra look now.
    """
    written = write_reports(decision, month, look=look)
    for each in written:
        await artifacts.publish_report(each.report)
    return written


@task(name="write-reports", cache_policy=NO_CACHE)
def write_reports(decision: str | None, month: str | None, *, look: bool = False) -> list[Reported]:
    """Count in the ledger, judge, and write page and numbers."""
    names = [decision] if decision else []
    return report_now(wiring.current(), names, month=month, look=look)
