"""Look at cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import LifecycleError, NotUnderstood
from flows.cli.here import CommandHere, Here, name_of
from flows.cli.output import attributes, from_now, pairs, plural, table, when

if TYPE_CHECKING:
    from decisions.ledger import Dossier
    from decisions.ledger.records import Case
    from decisions.ports import Message
    from flows.wiring import Layer

State = Literal[
    "open", "acknowledged", "completed", "overridden", "unanswered", "superseded", "released"
]
_LATER = ("run_id", "rule", "score", "scored_at", "model_version", "facts", "priority")
_COLUMNS = (
    "key", "decision", "subject", "state", "assignee", "rule", "action", "score", "opened_at",
    "respond_by", "complete_by", "answered_at", "closed_at", "snoozed_until",
)  # fmt: skip


def cases(
    *,
    decision: Annotated[str | None, Parameter(metavar="NAME")] = None,
    assignee: Annotated[str | None, Parameter(metavar="PERSON")] = None,
    state: Annotated[list[State] | None, Parameter(negative=())] = None,
    text: str | None = None,
    overdue: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    all_: Annotated[bool, Parameter(name="--all", negative=(), show_default=False)] = False,
    most: int = 50,
    here: CommandHere,
) -> None:
    """List the cases that wait for somebody, the most urgent first.

    A case that is held out stays hidden until its outcome is known.

    Args:
        decision: Only those of this decision.
        assignee: Only those that this person holds.
        state: Only those in this state; may be given more than once.
        text: Only those with this text in their key or subject.
        overdue: Only those whose deadline has passed.
        all_: Those that wait for nobody any more as well.
        most: How many at most.
        here: What the command works on.

    Examples:
        followthrough cases
        followthrough cases --assignee mia.chen --overdue
        followthrough cases --state completed --state overridden --json
    """
    from decisions.ledger import Filter
    from decisions.ledger.cases import WAITING

    if most < 1:
        raise NotUnderstood(f"--most is {most}; write a number from 1")
    states = tuple(state or (get_args(State) if all_ else WAITING))
    overdue_at = here.clock() if overdue else None
    wanted = Filter(decision, assignee, states, text, overdue_at)
    asked = here.layer.ledger.cases
    found, count = asked.found(wanted, most=most), asked.count(wanted)
    if not found:
        _refuse_unknown(here.layer, decision, assignee)
    titles = _titles(here, found)
    listed = [
        attributes(case, *_COLUMNS) | {"title": title, "url": _url(here, case)}
        for case, title in zip(found, titles, strict=True)
    ]
    here.out.answer({"count": count, "cases": listed}, *_listed(here, found, titles, count))


def show(case: str, /, *, here: CommandHere) -> None:
    """Show a case: what is asked, why, of whom, and what happened.

    Times are in the zone of FOLLOWTHROUGH_PERSON, if that is set, else in UTC.

    Args:
        case: Its key.
        here: What the command works on.

    Examples:
        followthrough show CSC-17
        followthrough show CSC-17 --json
    """
    from flows.cli.drawing import drawn
    from flows.cli.timeline import timeline

    dossier = here.layer.ledger.cases.dossier(case.upper())
    _refuse_held_out(dossier)
    happened = timeline(dossier, here.layer.workspace.people)
    message = _message(here, dossier)
    document = _document(here, dossier) | {
        "timeline": [{"at": at, "text": text} for at, text in happened],
        "message": message.model_dump(mode="json") if message else None,
    }
    lines = table("", "", rows=[(when(at, here.zone()), text) for at, text in happened], whole=[0])
    panel: list[RenderableType] = ["", drawn(here.layer, dossier, message)] if message else []
    here.out.answer(document, *_shown(here, dossier), "\nTimeline", lines, *panel)


def schedule(case: str, /, *, here: CommandHere) -> None:
    """Say what will happen to a case, when and to whom, if nobody answers from now on.

    Absence and cover are those people.yaml knows of today; every wait counts from when the message
    before it was taken. Times are in the zone of FOLLOWTHROUGH_PERSON, if that is set, else in UTC.

    Args:
        case: Its key.
        here: What the command works on.

    Examples:
        followthrough schedule CSC-17
    """
    from decisions.outlook import outlook

    dossier = here.layer.ledger.cases.dossier(case.upper())
    _refuse_held_out(dossier)
    people, now = here.layer.workspace.people, here.clock()
    ahead = outlook(dossier.case, dossier.definition, dossier.notifications, people=people, now=now)
    coming = [attributes(one, "at", "event", "to", "because") for one in ahead]
    drawn: list[RenderableType] = ["nothing is to come: it waits for nobody any more"]
    if ahead:
        rows = [
            (
                when(one.at, here.zone()) if one.at else "once it is sent",
                from_now(one.at, now) if one.at else "",
                name_of(people, one.to) if one.to else "",
                one.event,
                one.because or "",
            )
            for one in ahead
        ]
        drawn = [
            table(f"when ({here.zone()})", "", "who", "what", "why", rows=rows, whole=[0, 1]),
        ]
    here.out.answer({"case": dossier.case.key, "coming": coming}, *drawn)


def _refuse_held_out(dossier: "Dossier") -> None:
    if dossier.case.state == "held_out":
        raise LifecycleError(
            f"{dossier.case.key} is held out on purpose, so that the effect can be measured; "
            "it can be shown once its outcome window has closed"
        )


def _refuse_unknown(layer: "Layer", decision: str | None, assignee: str | None) -> None:
    """Tell a name that nobody knows from one that merely has no cases."""
    if decision is not None and layer.ledger.latest_version(decision) is None:
        layer.definition(decision)
    if assignee is not None:
        layer.workspace.people.person(assignee)


def _titles(here: Here, found: Sequence["Case"]) -> list[str]:
    asked = here.layer.ledger.cases
    definitions = {case.version_id: case for case in found}
    pinned = {key: asked.definition_of(case) for key, case in definitions.items()}
    return [_written(here, case, pinned[case.version_id])[0] for case in found]


def _written(here: Here, case: "Case", definition: Any) -> tuple[str, str]:
    from decisions.wording import title, why

    told: dict[str, Any] = {"facts": case.facts, "opened_at": case.opened_at, "zone": here.zone()}
    return title(definition, action=case.action, **told), why(definition, rule=case.rule, **told)


def _listed(
    here: Here, found: Sequence["Case"], titles: Sequence[str], count: int
) -> list[RenderableType]:
    if not found:
        return ["no case matches; --all includes those that wait for nobody any more"]
    now = here.clock()
    rows = [
        (
            case.key,
            case.assignee,
            "snoozed" if case.snoozed_until else case.state,
            "" if case.closed_at else from_now(_due_at(case), now),
            title,
        )
        for case, title in zip(found, titles, strict=True)
    ]
    more = f"; the first {len(found)} are shown" if count > len(found) else ""
    drawn = table("case", "with", "state", "due", "what is asked", rows=rows, whole=[0, 1, 2, 3])
    return [drawn, f"{plural(count, 'case')}{more}"]


def _due_at(case: "Case") -> datetime | None:
    """Return what the case waits for, or waited for last; cases are listed in this order."""
    if case.state == "acknowledged" or case.snoozed_until:
        return case.snoozed_until or case.complete_by
    return case.complete_by or case.respond_by


def _url(here: Here, case: "Case") -> str:
    return f"{here.settings.inbox_url}/cases/{case.key}"


def _document(here: Here, dossier: "Dossier") -> dict[str, Any]:
    case, definition = dossier.case, dossier.definition
    title, why = _written(here, case, definition)
    owners = definition.owners.model_dump(exclude_none=True)
    action = definition.actions[case.action]
    return attributes(case, *_COLUMNS, "facts", "model_name", "model_version", "scored_at") | {
        "title": title,
        "why": why,
        "version": dossier.version.number,
        "owners": owners,
        "override_reasons": list(action.override_reasons),
        "url": _url(here, case),
        "later_signals": [attributes(each, *_LATER) for each in dossier.later_signals],
    }


def _shown(here: Here, dossier: "Dossier") -> list[RenderableType]:
    from decisions.wording import shown_facts

    case, definition, zone = dossier.case, dossier.definition, here.zone()
    people = here.layer.workspace.people
    title, why = _written(here, case, definition)
    deadline = "complete by" if case.complete_by else "answer by"
    about = [
        ("with", name_of(people, case.assignee) if case.assignee else None),
        ("snoozed until" if case.snoozed_until else deadline, _deadline(here, case)),
        ("opened", when(case.opened_at, zone)),
        ("decision", f"{case.decision}, version {dossier.version.number}, rule {case.rule}"),
        ("owner", name_of(people, definition.owners.business)),
        ("page", _url(here, case)),
    ]
    facts = shown_facts(definition, case.action, case.facts, zone)
    return [
        f"{case.key}, {case.state.replace('_', ' ')}: {title}",
        f"{why}\n",
        pairs(about),
        f"\nEvidence (times in {zone})",
        pairs((fact.label, fact.text) for fact in facts),
        *_since(dossier, zone),
    ]


def _since(dossier: "Dossier", zone: str) -> list[RenderableType]:
    """Return what later runs knew of the subject, by the latest of them."""
    from decisions.wording import changed_facts

    if not dossier.later_signals:
        return []
    case, last = dossier.case, dossier.later_signals[-1]
    times = plural(len(dossier.later_signals), "time")
    heading = f"\nScored again {times}, the last {when(last.scored_at, zone)} by run {last.run_id}"
    changed = changed_facts(dossier.definition, case.action, case.facts, last.facts, zone)
    rows = [(fact.label, fact.text) for fact in changed]
    return [heading, pairs(rows) if rows else "nothing that is shown has changed"]


def _deadline(here: Here, case: "Case") -> str:
    at = _due_at(case)
    apart = "" if case.closed_at else f", {from_now(at, here.clock())}"
    return f"{when(at, here.zone())} {here.zone()}{apart}" if at else ""


def _message(here: Here, dossier: "Dossier") -> "Message | None":
    """Return the last message about the case: as it was sent, else as it would be."""
    from decisions.ledger import Claim
    from decisions.ports import Message
    from flows.messages import message_for

    if not dossier.notifications:
        return None
    last = dossier.notifications[-1]
    if last.message is not None:
        return Message.model_validate(last.message)
    claim = Claim(last, dossier.definition, dossier.case, run=None, doubtful=False)
    return message_for(claim, here.layer.workspace.people, here.settings.inbox_url)
