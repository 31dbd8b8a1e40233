"""Prove what happened: the effectiveness report, and the chain of entries."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from flows.cli.endings import DONE, WORLD_FAILED
from flows.cli.here import CommandHere, Flow, Here
from flows.cli.output import attributes, pairs, plural, table
from flows.cli.recording import carried_out

if TYPE_CHECKING:
    from decisions.ledger.audit import Promise
    from flows.reporting import Reported
    from flows.wiring import Layer


def report(
    *decisions: str,
    month: Annotated[str | None, Parameter(metavar="YYYY-MM")] = None,
    look: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    tell: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    flow: Flow = None,
    here: CommandHere,
) -> None:
    """Write the effectiveness reports: what people did, what it did.

    The report on a month that has ended is a look: its verdict is published in the ledger and
    stands. Any other report shows the interval and changes no verdict. Without a name, a page over
    all decisions is written as well.

    Args:
        decisions: Of which; all of the workspace if none is named.
        month: The month to report on, or last; everything so far if left out.
        look: Take an extra look now; it costs later ones little, and them alone.
        tell: Queue its verdict for owners and their managers; each hears of it once a month.
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough report
        followthrough report churn-save-call --month 2026-11
        followthrough report --month last --tell
    """
    from flows.reporting import overview_now, reportable

    names = list(decisions) or reportable(here.layer)
    written = [each for name in names for each in _reported(here, name, month, flow, look=look)]
    overview = None if decisions else overview_now(here.layer, written)
    told = _told(here, written) if tell else []
    document: dict[str, Any] = {"reports": [_document(each) for each in written]}
    shown = [line for each in written for line in ("", *_shown(each, month))][1:]
    if overview:
        shown += ["", pairs([("all", overview)])]
    if tell:
        people = here.layer.workspace.people
        named = ", ".join(people.name(person) for person in told)
        shown.append(f"queued for {named}" if told else "nobody is left to tell this month")
    here.out.answer(document | {"overview": overview, "told": told}, *shown)


def _told(here: Here, written: Sequence["Reported"]) -> list[str]:
    from flows.announcing import announce

    queued = {person for each in written for person in announce(here.layer, each.report)}
    return sorted(queued)


def verify(*, here: CommandHere) -> int:
    """Recompute the whole history and every archive; name what is off.

    The history is checked, not the tables beside it; of the archives of verdicts, that each is
    there and as it was recorded.

    Compare the head with one you wrote down earlier: it shows that nothing was cut off since.

    Examples:
        followthrough verify
        followthrough verify --json
    """
    layer = here.layer
    with here.out.busy("recomputing the history"):
        found = layer.ledger.verified()
    archived = layer.ledger.runs.archived()
    with here.out.busy(f"recomputing {plural(len(archived), 'archive')}"):
        breaches = [each for each in map(layer.archive.breach, archived) if each]
    breaches = [found.breach, *breaches] if found.breach else breaches
    strays = layer.archive.strays(archived)
    document = {
        "ledger": layer.ledger.name,
        "entries": found.entries,
        "seals": found.seals,
        "head": found.head,
        "archives": len(archived),
        "breaches": breaches,
        "strays": strays,
    }
    held = f"{plural(found.entries, 'entry')} under {plural(found.seals, 'seal')}"
    about = [("ledger", layer.ledger.name), ("holds", held), ("head", found.head)]
    about.append(("archives", f"{len(archived):,} in {layer.archive.folder}"))
    left = [
        f"left behind by a run that was never recorded, and needless: {file}" for file in strays
    ]
    here.out.answer(document, pairs(about, 0), *(f"breach: {each}" for each in breaches), *left)
    return WORLD_FAILED if breaches else DONE


def audit(*, channels: Annotated[bool, Parameter(negative=())] = False, here: CommandHere) -> int:
    """Look whether every promise was kept: the history, and the tables against the history.

    Nothing of it can be fixed by running again: a breach is a fault of ours, or somebody changed
    the tables. It ends with 1 then.

    Args:
        channels: Also ask the channels what stands there, 30 days back.
        here: The command's surroundings.

    Examples:
        followthrough audit
        followthrough audit --channels
        followthrough audit --json
    """
    people = here.layer.workspace.people
    with here.out.busy("looking at every promise") as status:
        told = status.update if status is not None else lambda _name: None
        found = list(here.layer.ledger.audited(people, progress=told))
        if channels:
            from flows.recounting import recounted

            told("what channels say")
            found.append(recounted(here.layer))
    kept = all(not one.breaches for one in found)
    document = {
        "ledger": here.layer.ledger.name,
        "kept": kept,
        "promises": [attributes(one, "name", "breaches", "examples") for one in found],
    }
    rows = [row for one in found for row in _told_of(one)]
    broken = plural(sum(one.breaches > 0 for one in found), "promise")
    end = f"{plural(len(found), 'promise')}, all kept" if kept else f"{broken} broken"
    here.out.answer(document, table("", "", rows=rows, whole=[0]), "", end)
    return DONE if kept else WORLD_FAILED


def _told_of(promise: "Promise") -> Iterator[tuple[str, str]]:
    yield "broken" if promise.breaches else "kept", promise.name
    for example in promise.examples:
        yield "", f"  {example}"
    if more := promise.breaches - len(promise.examples):
        yield "", f"  and {more:,} more"


def _reported(
    here: Here, name: str, month: str | None, flow: bool | None, *, look: bool
) -> list["Reported"]:
    with here.out.busy(f"{name}: counting"):
        return carried_out(
            here,
            "flows.report:report",
            lambda layer: _report_now(layer, name, month, look=look),
            flow=flow,
            decision=name,
            month=month,
            look=look,
            tell=False,
        )


def _report_now(layer: "Layer", name: str, month: str | None, *, look: bool) -> list["Reported"]:
    from flows.reporting import report_now

    return report_now(layer, [name], month=month, look=look)


def _document(written: "Reported") -> dict[str, Any]:
    report = written.report
    return {
        "decision": report.about.decision,
        "verdict": report.verdict.model_dump(mode="json"),
        "html": written.html,
        "json": written.json_file,
        "csv": written.csv_file,
    }


def _shown(written: "Reported", month: str | None) -> Iterator[RenderableType]:
    verdict, imported = written.report.verdict, written.report.imported
    yield f"{written.report.about.decision}: {verdict.kind}"
    if imported and month:
        yield (
            f"this is the imported period {imported.period!r}, reported whole: --month {month} "
            "picks cases opened here, and it has none"
        )
    yield verdict.sentences
    yield pairs([("do", verdict.recommendation), ("page", written.html)])
