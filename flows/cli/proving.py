"""Prove what happened: the effectiveness report, and the chain of entries."""

from typing import Annotated

from cyclopts import Parameter

from flows.cli.endings import DONE, WORLD_FAILED
from flows.cli.here import CommandHere, Flow
from flows.cli.output import pairs, plural


def report(
    *decisions: str,
    month: Annotated[str | None, Parameter(metavar="YYYY-MM")] = None,
    flow: Flow = None,
    here: CommandHere,
) -> None:
    """Write the effectiveness reports: what people did, what it did.

    Args:
        decisions: Of which; all of the workspace if none is named.
        month: The month to report on; everything so far if left out.
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough report
        followthrough report churn-save-call --month 2026-11
    """


def verify(*, here: CommandHere) -> int:
    """Recompute the whole history; name the first thing that is off.

    Compare the head with one you wrote down earlier: it shows that nothing was cut off since.

    Examples:
        followthrough verify
        followthrough verify --json
    """
    with here.out.busy("recomputing the history"):
        found = here.layer.ledger.verified()
    document = {
        "ledger": here.layer.ledger.name,
        "entries": found.entries,
        "seals": found.seals,
        "head": found.head,
        "breach": found.breach,
    }
    held = f"{plural(found.entries, 'entry')} under {plural(found.seals, 'seal')}".replace(
        "entrys", "entries"
    )
    drawn = pairs([("ledger", here.layer.ledger.name), ("holds", held), ("head", found.head)], 0)
    here.out.answer(document, drawn, *([f"breach: {found.breach}"] if found.breach else []))
    return WORLD_FAILED if found.breach else DONE
