"""Begin: make a workspace, check it, see the whole loop, serve it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import DefinitionError, Fault, NotUnderstood
from flows.cli.endings import DONE, YOURS_TO_FIX
from flows.cli.here import CommandHere, Here, name_of, writing_to
from flows.cli.output import attributes, pairs, plural, table, when

if TYPE_CHECKING:
    from decisions.definition import Definition
    from decisions.workspace import Workspace
    from flows.timetable import Deployment


def init(folder: Path, /, *, here: CommandHere) -> None:
    """Make a small workspace that works at once.

    One decision on made-up invoices, with its people, connections and data as files beside it, to
    try out and to change into your own.

    Args:
        folder: Where to; a new or an empty one.
        here: What the command works on.

    Examples:
        followthrough init my-decisions
    """
    from flows import starter

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotUnderstood(f"{folder} is there already and is not empty; name a new folder")
    with writing_to(folder, asked="FOLDER"):
        made = [path.name for path in starter.make_workspace(folder, here.clock())]
    steps = [
        f"cd {folder}",
        "followthrough check",
        f"followthrough release {starter.DEFINITION} --by {starter.AUTHOR}",
        f"followthrough sign {starter.DEFINITION} --as {starter.SIGNER}",
        "followthrough run",
        "followthrough cases",
        f"followthrough show {starter.FIRST_CASE}",
        f"followthrough acknowledge {starter.FIRST_CASE} --as {starter.FIRST_ASSIGNEE}",
        "followthrough serve",
    ]
    here.out.answer(
        {"folder": folder.absolute(), "files": made, "next": steps},
        f"{folder} now holds {', '.join(made)}",
        "\nNext",
        *(f"  {step}" for step in steps),
    )


def check(*, here: CommandHere) -> int:
    """Name every fault of the workspace with its line; run its examples.

    Examples:
        followthrough check
        followthrough check --workspace decisions/definitions --json
    """
    from flows.standing import difference_told, standings
    from flows.wiring import example_doubts, example_faults, read_workspace, unset_variables

    try:
        workspace = read_workspace(here.settings, here.clock)
    except DefinitionError as error:
        if not here.out.as_json:
            raise
        here.out.answer({"faults": _documents(error.faults)})
        return YOURS_TO_FIX
    failed = [
        fault
        for definition in workspace.decisions.values()
        for fault in example_faults(workspace, definition, here.clock)
    ]
    warnings = [
        *workspace.warnings,
        *example_doubts(workspace, here.clock),
        *unset_variables(workspace),
    ]
    decisions = workspace.decisions.values()
    document = {
        "workspace": workspace.folder,
        "faults": _documents(failed),
        "warnings": _documents(warnings),
        "decisions": [_document(each) for each in decisions],
        "unsigned": [each.decision for each in decisions if each.sign_off is None],
    }
    here.out.answer(document, *_checked(workspace, failed, warnings))
    _, others = standings(here.settings, here.clock, workspace.decisions)
    for name, version in others.items():
        here.out.note(difference_told(name, version))
    return YOURS_TO_FIX if failed else DONE


def serve(
    *,
    host: str | None = None,
    port: Annotated[int | None, Parameter(metavar="PORT")] = None,
    schedules: Annotated[bool, Parameter(show_default=False)] = True,
    take_over: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    here: CommandHere,
) -> int:
    """Serve the inbox and keep every schedule on this machine.

    Runs until Ctrl-C or SIGTERM. Starts a Prefect server of its own, with its database below home,
    unless PREFECT_API_URL names one. What each program writes is kept in the folder logs below
    home.

    Args:
        host: Address the inbox listens on; 127.0.0.1 by default.
        port: Port the inbox listens on; 8484 by default.
        schedules: Whether to decide, escalate and deliver too, or to serve the inbox alone.
        take_over: Take a Slack app over from another ledger whose process is gone for good.
        here: What the command works on.

    Examples:
        followthrough serve
        followthrough serve --host 0.0.0.0 --port 80
        followthrough serve --no-schedules
    """
    from flows.cli.serving import Service
    from flows.mooring import moor
    from flows.timetable import deployments

    if here.options.as_of is not None:
        raise NotUnderstood("serve goes by the machine's clock; leave out --as-of")
    if port is not None and not 1 <= port <= 65_535:
        raise NotUnderstood(f"--port is {port}; write a number from 1 to 65535")
    told = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = here.settings.model_copy(update=told)
    decisions = here.layer.workspace.decisions
    moor(here.layer, take_over=take_over)
    here.close()  # faults of workspace and ledger have shown by now; the programs open their own
    service = Service(settings, schedules=schedules)
    service.refuse_taken_ports()
    planned = list(deployments(decisions)) if schedules else []
    service.supervisor().run(
        service.programs(),
        starting=lambda program: here.out.note(f"starting {program.name}"),
        ready=lambda: _announce(here, service.places, planned),
    )
    here.out.note("stopped")
    return DONE


def demo(folder: Path | None = None, /, *, seed: int = 7, here: CommandHere) -> None:
    """See the whole loop on a made-up company.

    Six months through the real flows and the real ledger, in a minute or two; nobody is told
    anything. An earlier demo in the folder is replaced. With --as-of the story ends then.

    Args:
        folder: Where everything is kept; demo below home by default.
        seed: Another number is another company.
        here: What the command works on.

    Examples:
        followthrough demo
        followthrough demo larkfield --seed 11
    """
    from flows.demo import run_demo

    until = here.clock() if here.options.as_of else None
    found = run_demo(folder or here.settings.home / "demo", seed=seed, until=until)
    here.out.answer(found.model_dump(mode="json"), *found.shown())


def _announce(here: Here, places: Mapping[str, object], planned: Sequence["Deployment"]) -> None:
    now = here.clock()
    schedules = [
        {
            "deployment": each.full_name,
            "cron": each.cron,
            "zone": each.zone,
            "next_at": each.next_at(now),
        }
        for each in planned
    ]
    rows = [
        (each.full_name, when(each.next_at(now), each.zone) or "when asked", each.zone, each.cron)
        for each in planned
    ]
    drawn = [table("deployment", "next", "zone", "cron", rows=rows, whole=[1])] if rows else []
    here.out.answer(dict(places) | {"schedules": schedules}, pairs(places.items(), 0), "", *drawn)
    here.out.note("Ctrl-C stops all of it")


def _documents(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [attributes(fault, "file", "line", "text") for fault in faults]


def _document(definition: "Definition") -> dict[str, Any]:
    return {
        "decision": definition.decision,
        "question": definition.purpose.question,
        "owners": definition.owners.model_dump(exclude_none=True),
        "rules": [rule.name for rule in definition.rules],
        "examples": len(definition.examples),
        "review_by": definition.review_by,
        "schedule": definition.schedule.model_dump() if definition.schedule else None,
        "sha256": definition.sha256,
    }


def _checked(
    workspace: "Workspace", failed: Sequence[Fault], warnings: Sequence[Fault]
) -> list[RenderableType]:
    decisions, people = workspace.decisions.values(), workspace.people
    rows = [
        (
            each.decision,
            name_of(people, each.owners.business),
            name_of(people, each.owners.technical),
            len(each.rules),
            len(each.examples),
            each.review_by,
        )
        for each in decisions
    ]
    headings = ("decision", "business owner", "technical owner", "rules", "examples", "review by")
    shown: list[RenderableType] = [table(*headings, rows=rows, whole=[5]), ""]
    for title, faults in (("Warnings", warnings), ("Failed examples", failed)):
        if faults:
            shown.append("\n".join([title, *(f"  {_placed(each)}" for each in faults)]) + "\n")
    examples = plural(sum(len(each.examples) for each in decisions), "example")
    unsigned = ", ".join(each.decision for each in decisions if each.sign_off is None)
    if unsigned:
        text = "nobody signs it, so that its file is live at its next run; sign_off asks its owners"
        shown.append(f"{unsigned}: {text}\n")
    held = f"{len(failed)} of {examples} failed" if failed else f"{examples} hold"
    return [*shown, f"{plural(len(decisions), 'decision')} without a fault; {held}"]


def _placed(fault: Fault) -> str:
    place = f"{fault.file}:{fault.line}" if fault.line else fault.file
    return f"{place}: {fault.text}"
