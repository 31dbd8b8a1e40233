"""Decide, and do what has fallen due."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import (
    ConnectorError,
    DecisionLayerError,
    DefinitionError,
    LifecycleError,
    NotUnderstood,
)
from flows.cli.endings import DONE, WORLD_FAILED, YOURS_TO_FIX
from flows.cli.here import CommandHere, Flow, Here
from flows.cli.output import attributes, briefly, plural, table
from flows.cli.recording import carried_out

if TYPE_CHECKING:
    from decisions.ledger.records import Run
    from flows.sending import Delivered
    from flows.sweep import Decided

_NOT_TOLD = {"unreachable", "dead"}


def run(
    *decisions: str,
    deliver: Annotated[bool, Parameter(show_default=False)] = True,
    flow: Flow = None,
    here: CommandHere,
) -> int:
    """Ask decisions of their present batches; hand over what follows.

    Every subject is counted once: opened, held out, suppressed by a limit, not met, or withheld
    because the batch does not meet its data contract. Run it as often as you like: what is open
    or decided already stays as it is.

    Where PREFECT_API_URL names a server this is a flow run there; else plain functions do the
    same work, without Prefect.

    Args:
        decisions: Which; all of the workspace if none is named.
        deliver: Whether to hand over messages at once, or leave them to dispatch.
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough run
        followthrough run churn-save-call --no-deliver
        followthrough run churn-save-call --as-of 2026-11-20 --json
    """
    from flows.standing import difference_told, other_in_force

    names = decisions or tuple(here.layer.workspace.decisions)
    for name in names:
        other = other_in_force(here.layer.ledger, here.layer.definition(name))
        if other:
            here.out.note(difference_told(name, other))
    decided, failed = _all_decided(here, names, flow)
    told = {name: str(why) for name, why in failed.items()}
    document: dict[str, Any] = {"runs": [_document(each) for each in decided], "failed": told}
    shown: list[RenderableType] = [line for each in decided for line in _funnel(each)]
    shown += [f"{name}: nothing was decided\n{indent(why, '  ')}\n" for name, why in told.items()]
    if deliver:
        delivered = _delivered(here, flow)
        document["delivered"] = delivered.states
        shown.append(_handed_over(delivered))
    here.out.answer(document, *shown)
    if any(isinstance(why, DefinitionError | LifecycleError) for why in failed.values()):
        return YOURS_TO_FIX
    return WORLD_FAILED if failed or any(each.faults for each in decided) else DONE


def runs(decision: str | None = None, /, *, most: int = 20, here: CommandHere) -> None:
    """List the latest runs and how their subjects fared, newest first.

    Args:
        decision: Only those of this decision.
        most: How many at most.
        here: What the command works on.

    Examples:
        followthrough runs
        followthrough runs churn-save-call --most 5
    """
    if most < 1:
        raise NotUnderstood(f"--most is {most}; write a number from 1")
    if decision is not None and here.layer.ledger.latest_version(decision) is None:
        here.layer.definition(decision)
    found = here.layer.ledger.runs.latest(decision, most=most)
    names = (
        "id",
        "decision",
        "recorded_at",
        "state",
        "evaluated",
        "counts",
        "faults",
        "examples",
        "warnings",
    )
    document = {"runs": [attributes(each, *names) for each in found]}
    if not found:
        here.out.answer(document, "nothing was ever asked; `followthrough run` does")
        return
    here.out.answer(document, _runs_drawn(found, here.clock()))


def dispatch(*, flow: Flow = None, here: CommandHere) -> int:
    """Take the steps that are due, then hand over what is to be told.

    What has to happen every minute: `serve` and the deployments in prefect.yaml do it, or cron.

    Args:
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough dispatch
        * * * * * cd /srv/decisions && followthrough dispatch
    """
    from flows import sweep

    done = carried_out(here, "flows.dispatch:dispatch", sweep.dispatch, flow=flow)
    _own_up(here, done.delivered)
    shown = [*_steps(done.escalated.steps, done.escalated.faults), _handed_over(done.delivered)]
    here.out.answer(done.model_dump(), *shown)
    return _ended(done.escalated.faults, done.delivered)


def escalate(*, flow: Flow = None, here: CommandHere) -> int:
    """Take the step that is due on every case that waits too long.

    Whom to tell is recorded; deliver or dispatch tells them.

    Args:
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough escalate
        followthrough escalate --as-of 2026-11-20T14:00
    """
    from flows import sweep

    done = carried_out(here, "flows.escalate:escalate", sweep.escalate, flow=flow)
    here.out.answer(done.model_dump(), *_steps(done.steps, done.faults))
    return _ended(done.faults)


def deliver(*, flow: Flow = None, here: CommandHere) -> int:
    """Hand over every message that is due.

    Args:
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough deliver
    """
    done = _delivered(here, flow)
    here.out.answer(done.model_dump(), _handed_over(done))
    return _ended([], done)


def observe(
    *,
    again: Annotated[str | None, Parameter(metavar="SPAN")] = None,
    flow: Flow = None,
    here: CommandHere,
) -> int:
    """Look for proof of interventions, and for outcomes now known.

    Args:
        again: Look once more for outcomes recorded so lately, such as 90d; what differs is kept
            as a correction.
        flow: Whether to record a flow run, whatever the environment says.
        here: What the command works on.

    Examples:
        followthrough observe
        followthrough observe --again 90d --json
    """
    from flows import observing

    done = carried_out(
        here,
        "flows.observe:observe",
        lambda layer: observing.observe(layer, again),
        flow=flow,
        again=again,
    )
    seen = f"{plural(done.outcomes, 'outcome')} recorded"
    missing = f", of {done.missing:,} no row was found" if done.missing else ""
    proven = f"{plural(done.proven, 'intervention')} proven"
    corrected = f"; {plural(done.corrected, 'correction')}" if again else ""
    here.out.answer(done.model_dump(), f"{proven}; {seen}{missing}{corrected}", *done.faults)
    return _ended(done.faults)


def _all_decided(
    here: Here, names: Sequence[str], flow: bool | None
) -> tuple[list["Decided"], dict[str, DecisionLayerError]]:
    """Ask each decision; a warehouse that is away, a failing example or a halt stops only one."""
    decided: list[Decided] = []
    failed: dict[str, DecisionLayerError] = {}
    for name in names:
        try:
            with here.out.busy(f"{name}: asking"):
                decided.append(_decided(here, name, flow))
        except (ConnectorError, DefinitionError, LifecycleError) as error:
            failed[name] = error
    return decided, failed


def _decided(here: Here, name: str, flow: bool | None) -> "Decided":
    from flows import sweep

    return carried_out(
        here,
        "flows.decide:decide",
        lambda layer: sweep.decide(layer, name),
        flow=flow,
        decision=name,
    )


def _delivered(here: Here, flow: bool | None) -> "Delivered":
    from flows import sending

    with here.out.busy("handing over messages"):
        delivered = carried_out(here, "flows.deliver:deliver", sending.deliver, flow=flow)
    _own_up(here, delivered)
    return delivered


def _own_up(here: Here, delivered: "Delivered") -> None:
    """Say so where messages that count as sent reached nobody."""
    if not delivered.sent:
        return
    from connectors.slack.preview import PreviewChannel

    for name, channel in here.layer.channels.items():
        if isinstance(channel, PreviewChannel):
            here.out.note(f"{name} has no token: its messages are drawn and kept, none is sent")


def _ended(faults: Sequence[str], delivered: "Delivered | None" = None) -> int:
    states = delivered.states if delivered else {}
    return WORLD_FAILED if faults or _NOT_TOLD & states.keys() else DONE


def _document(decided: "Decided") -> dict[str, Any]:
    return decided.model_dump() | {"selected": decided.selected}


def _funnel(decided: "Decided") -> Iterator[RenderableType]:
    """Draw where every subject went; indented counts add up to the one above them."""
    stage = "" if decided.stage == "live" else f" in {decided.stage}"
    yield f"{decided.decision}, run {decided.run}{stage}"
    if decided.faults:
        from decisions.wording import found_at_fault

        told = found_at_fault(decided.faults, decided.examples)
        found = "\n".join(f"  - {fault}" for fault in told)
        yield f"{plural(decided.evaluated, 'subject')} withheld; its data contract says\n{found}\n"
        return
    rows = [
        ("evaluated", decided.evaluated),
        ("  selected by a rule", decided.selected),
        ("    would open" if decided.stage == "shadow" else "    opened", decided.opened),
        ("    held out", decided.held_out),
        ("    suppressed", sum(decided.suppressed.values())),
        *((f"      {reason}", count) for reason, count in decided.suppressed.items()),
        ("  not met", decided.not_met),
    ]
    if decided.withheld:
        rows.append(("  withheld", sum(decided.withheld.values())))
        rows += [(f"    {reason}", count) for reason, count in decided.withheld.items()]
    yield table("", "", rows=rows, whole=[0])
    for name, psi in decided.drift.items():
        yield f"drift of {name}: {psi:.2f}"
    for warning in decided.warnings:
        yield f"warning: {warning}"
    yield ""
    for each in decided.beside:
        yield from _funnel(each)


def _runs_drawn(found: Sequence["Run"], now: datetime) -> RenderableType:
    headings = ["run", "at (UTC)", "decision", "evaluated", "opened", "held\nout", "suppressed"]
    headings += ["not\nmet", "withheld"]
    rows = [[each.id, briefly(each.recorded_at, now), *_fates(each)] for each in found]
    if not any(row[-1] for row in rows):
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    return table(*headings, rows=rows, whole=[1])


def _fates(run: "Run") -> list[object]:
    """Return what became of the subjects of a run; None where that could not happen to any."""
    counts = run.counts
    suppressed, withheld = counts.get("suppressed"), counts.get("withheld", 0)
    return [
        f"{run.decision} (shadow)" if run.state == "shadow" else run.decision,
        run.evaluated,
        counts.get("opened"),
        counts.get("held_out"),
        None if suppressed is None else sum(suppressed.values()),
        counts.get("not_met"),
        sum(withheld.values()) if isinstance(withheld, dict) else withheld,
    ]


def _steps(steps: Sequence[str], faults: Sequence[str]) -> list[RenderableType]:
    return [*steps, *faults] or ["no step is due"]


def _handed_over(delivered: "Delivered") -> str:
    count = sum(delivered.states.values())
    states = ", ".join(f"{number:,} {state}" for state, number in delivered.states.items())
    return f"{plural(count, 'message')}: {states}" if count else "no message is due"
