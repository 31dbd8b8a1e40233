"""Prove what happened: the effectiveness report, and the chain of entries."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from flows.cli.endings import DONE, WORLD_FAILED
from flows.cli.here import CommandHere, Flow, Here
from flows.cli.output import pairs, plural
from flows.cli.recording import carried_out

if TYPE_CHECKING:
    from flows.reporting import Reported
    from flows.wiring import Layer


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
    names = list(decisions) or list(here.layer.workspace.decisions)
    written = [each for name in names for each in _reported(here, name, month, flow)]
    document = {"reports": [_document(each) for each in written]}
    here.out.answer(document, *(line for each in written for line in _shown(each)))


def verify(*, here: CommandHere) -> int:
    """Recompute the whole history; name the first thing that is off.

    The history is checked, not the tables beside it.

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
    held = f"{plural(found.entries, 'entry')} under {plural(found.seals, 'seal')}"
    drawn = pairs([("ledger", here.layer.ledger.name), ("holds", held), ("head", found.head)], 0)
    here.out.answer(document, drawn, *([f"breach: {found.breach}"] if found.breach else []))
    return WORLD_FAILED if found.breach else DONE


def _reported(here: Here, name: str, month: str | None, flow: bool | None) -> list["Reported"]:
    with here.out.busy(f"{name}: counting"):
        return carried_out(
            here,
            "flows.report:report",
            lambda layer: _report_now(layer, name, month),
            flow=flow,
            decision=name,
            month=month,
        )


def _report_now(layer: "Layer", name: str, month: str | None) -> list["Reported"]:
    from flows.reporting import report_now

    return report_now(layer, [name], month=month)


def _document(written: "Reported") -> dict[str, Any]:
    report = written.report
    return {
        "decision": report.about.decision,
        "verdict": report.verdict.model_dump(mode="json"),
        "html": written.html,
        "json": written.json_file,
    }


def _shown(written: "Reported") -> Iterator[RenderableType]:
    verdict = written.report.verdict
    yield f"{written.report.about.decision}: {verdict.kind}"
    yield verdict.sentences
    yield pairs([("do", verdict.recommendation), ("page", written.html)])
    yield ""
