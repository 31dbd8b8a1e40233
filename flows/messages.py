"""What a person is told about a case or a run, written from the ledger's facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from decisions.definition import Definition
from decisions.escalation import ASSIGNEE
from decisions.ledger import SYSTEM, Claim
from decisions.ledger.amendments import AGAIN, Outdated
from decisions.ledger.records import Answer, Case, CaseState, Notification, Run, Standing
from decisions.lifecycle import PAST, Move
from decisions.links import Link, Links
from decisions.ownership import People
from decisions.ports import Addressee, Fact, Kind, Message
from decisions.suggestions import cut
from decisions.wording import found_at_fault, instant, shown_facts, title, why

LINK_LIFE = timedelta(days=14)
"""How long a personal link opens its case; whoever comes later goes by the case's page."""
LINK_PATH = "/answer"

_LEADS = {
    Kind.ASKED: None,
    Kind.REPORTED: "The effectiveness report is written",
    Kind.ESCALATED: "Nobody has answered in time",
    Kind.REMINDED: "Acknowledged, but not completed in time",
    Kind.WARNED: "Nothing was held up, but you should know of this",
    Kind.WITHHELD: "Nothing was decided: the batch does not meet its data contract",
    Kind.ALARMED: "Something is wrong with the running of Followthrough",
    Kind.HALTED: "Nothing is decided, told or escalated until it is resumed",
}
_GONE = "Once more, because the message before this one is gone"
_BEYOND = "Beyond the operating boundary: these are for you to look at"


def message_for(claim: Claim, people: People, inbox_url: str) -> Message:
    """Return the message that the claimed notification stands for.

    Args:
        claim: The notification, with its case or run and the pinned definition.
        people: Who there is.
        inbox_url: The inbox's address, without a slash at the end.
    """
    told = claim.notification
    to = addressee(told.recipient, people)
    if claim.case is not None:
        message = _about_case(told, claim.definition, claim.case, to, people, inbox_url)
        return _once_more(message, claim.case, people) if told.key.endswith(AGAIN) else message
    if told.kind == Kind.ALARMED:
        return _alarm(claim, to, people)
    if claim.standing is not None:
        return _about_halt(claim, claim.standing, to, people)
    if claim.run is None:
        raise TypeError(f"{told.key} is about nothing")
    if told.kind == Kind.REPORTED:  # what a report said is not said otherwise because it waited
        return Message.model_validate(told.message).model_copy(update={"to": to})
    return _about_run(claim, claim.run, to, people)


def _once_more(message: Message, case: Case, people: People) -> Message:
    is_held = case.state == CaseState.ACKNOWLEDGED
    standing = f"Acknowledged; it is with {people.name(str(case.assignee))}" if is_held else None
    return message.model_copy(update={"lead": _GONE, "standing": standing})


def with_own_link(message: Message, links: Links, inbox_url: str, now: datetime) -> Message:
    """Return the message with the link by which its person, and nobody else, opens the case.

    Args:
        message: What is told; about a run there is nothing to open.
        links: Signs it.
        inbox_url: The inbox's address, without a slash at the end.
        now: The present instant (timezone-aware).
    """
    if message.case is None:
        return message
    token = links.signed(Link(message.to.person, message.case, now + LINK_LIFE))
    return message.model_copy(update={"answer_url": f"{inbox_url}{LINK_PATH}/{token}"})


def amended(outdated: Outdated, people: People, inbox_url: str) -> Message:
    """Return what a message that was sent is to say now that its case has moved on.

    Whoever may still act keeps the buttons for that; everybody else's go.

    Args:
        outdated: The message, with its case as it stands.
        people: Who there is.
        inbox_url: The inbox's address, without a slash at the end.
    """
    case, told = outdated.case, outdated.notification
    to = addressee(told.recipient, people)
    message = _about_case(told, outdated.definition, case, to, people, inbox_url)
    waits = case.state in {CaseState.OPEN, CaseState.ACKNOWLEDGED}
    may_act = waits and outdated.is_current and case.assignee == to.person
    return message.model_copy(
        update={
            "lead": None,
            "standing": _standing(outdated, people, to.zone),
            "answer_by": None,
            "reasons": message.reasons if may_act else (),
        }
    )


def _standing(outdated: Outdated, people: People, zone: str) -> str:
    case, answer = outdated.case, outdated.answer
    if case.state == CaseState.UNANSWERED and case.closed_at:
        return f"Nobody answered in time; closed {instant(case.closed_at, zone)}"
    if answer is None:
        return f"Opened {instant(case.opened_at, zone)}"
    name, when = people.name(answer.by), instant(answer.at, zone)
    if answer.kind == Move.REASSIGN:
        return f"{name} handed it to {people.name(str(case.assignee))}, {when}"
    if answer.kind == Move.SNOOZE:
        return _put_off(answer, name, zone, is_over=case.snoozed_until is None)
    said = {Move.OVERRIDE: answer.reason, Move.DONE: answer.note}.get(Move(answer.kind))
    return f"{PAST[Move(answer.kind)].capitalize()} by {name}, {when}{f': {said}' if said else ''}"


def _put_off(answer: Answer, name: str, zone: str, *, is_over: bool) -> str:
    if is_over or answer.until is None:
        return f"Snoozed by {name}; asked again since"
    return f"Snoozed by {name} until {instant(answer.until, zone)}"


def addressee(recipient: str, people: People) -> Addressee:
    """Return where a person can be reached."""
    person = people.person(recipient)
    return Addressee(
        person=recipient,
        name=person.name,
        email=person.email,
        slack=person.slack,
        zone=person.zone,
    )


def _about_case(
    told: Notification,
    definition: Definition,
    case: Case,
    to: Addressee,
    people: People,
    inbox_url: str,
) -> Message:
    action = definition.actions[case.action]
    kind = Kind(told.kind)
    written: dict[str, Any] = {
        "facts": case.facts,
        "opened_at": case.opened_at,
        "zone": to.zone,
    }
    acknowledged = kind is Kind.REMINDED or case.state == "acknowledged"
    return Message(
        key=told.key,
        kind=kind,
        to=to,
        decision=definition.decision,
        case=case.key,
        lead=_lead(told, case, to, people),
        title=title(definition, action=case.action, **written),
        why=why(definition, rule=case.rule, **written),
        facts=shown_facts(definition, case.action, case.facts, to.zone),
        owner=_owner(definition, people),
        answer_by=case.complete_by if acknowledged else case.respond_by,
        acknowledged=acknowledged,
        reasons=action.override_reasons,
        url=f"{inbox_url}/cases/{case.key}",
    )


def _lead(told: Notification, case: Case, to: Addressee, people: People) -> str | None:
    kind = Kind(told.kind)
    lead = _LEADS[kind]
    if kind is Kind.ASKED and case.cycle and told.because != ASSIGNEE:
        return told.because[:1].upper() + told.because[1:]
    if kind is Kind.ESCALATED and case.state == "acknowledged":
        lead = _LEADS[Kind.REMINDED]
    if lead is None or case.assignee in {None, to.person}:
        return lead
    return f"{lead}; it is with {people.name(str(case.assignee))}"


def _owner(definition: Definition, people: People) -> str:
    named = definition.owners.business
    return people.name(people.roles.get(named, named))


def _about_run(claim: Claim, run: Run, to: Addressee, people: People) -> Message:
    if claim.notification.kind == Kind.WARNED:
        return _warning(claim, run, to, people)
    if not run.faults:
        return _about_the_boundary(claim, run, to, people)
    shown = found_at_fault(run.faults, run.examples)[:10]
    more = len(run.faults) - len(shown)
    facts = [Fact(label=f"Found {n}", text=fault) for n, fault in enumerate(shown, start=1)]
    if more:
        facts.append(Fact(label="And", text=f"{more} more"))
    return _about_decision(
        claim,
        to,
        people,
        title="the whole batch is withheld",
        why=f"Run {run.id} found its batch at fault; nobody was told of a case",
        facts=facts,
    )


def _warning(claim: Claim, run: Run, to: Addressee, people: People) -> Message:
    theirs = [each for each in run.warnings if to.person in each["told"]]
    return _about_decision(
        claim,
        to,
        people,
        title=" and ".join(each["about"] for each in theirs),
        why=f"Run {run.id} noticed it and went on",
        facts=[Fact(label=each["about"].capitalize(), text=each["text"]) for each in theirs],
    )


def _about_the_boundary(claim: Claim, run: Run, to: Addressee, people: People) -> Message:
    """Tell one person of all that a run left to them: how many, why, and a few of them."""
    theirs = [each for each in run.withheld if each["told"] == to.person]
    count = sum(each["count"] for each in theirs)
    subject = claim.definition.signal.subject
    return _about_decision(
        claim,
        to,
        people,
        lead=_BEYOND,
        title=f"{count:,} {'subject' if count == 1 else 'subjects'} withheld",
        why=f"Run {run.id} decided nothing on them and opened no case",
        facts=[
            Fact(label=cut(each["reason"], 120), text=_counted(each, subject))
            for each in theirs[:10]
        ],
    )


def _counted(each: Mapping[str, Any], subject: str) -> str:
    shown = " and ".join(cut(example, 60) for example in each["examples"])
    among = ", among them" if each["count"] > len(each["examples"]) else ":"
    return f"{each['count']:,}{among} {subject} {shown}"


def _alarm(claim: Claim, to: Addressee, people: People) -> Message:
    definition = claim.definition
    is_late = claim.notification.key.startswith("alarm:late:")
    return Message(
        key=claim.notification.key,
        kind=Kind.ALARMED,
        to=to,
        decision=definition.decision,
        lead=_LEADS[Kind.ALARMED],
        title=f"{definition.decision}: {'steps are late' if is_late else 'messages do not arrive'}",
        why=claim.notification.because,
        owner=_owner(definition, people),
    )


def _about_halt(claim: Claim, halt: Standing, to: Addressee, people: People) -> Message:
    by = "Followthrough" if halt.by == SYSTEM else people.name(halt.by)
    return _about_decision(claim, to, people, title="halted", why=f"{by}: {halt.because}")


def _about_decision(
    claim: Claim,
    to: Addressee,
    people: People,
    *,
    title: str,
    why: str,
    facts: Sequence[Fact] = (),
    lead: str | None = None,
) -> Message:
    """Tell of a decision as a whole; no case, so nothing to answer."""
    kind, definition = Kind(claim.notification.kind), claim.definition
    return Message(
        key=claim.notification.key,
        kind=kind,
        to=to,
        decision=definition.decision,
        lead=lead or _LEADS[kind],
        title=f"{definition.decision}: {title}",
        why=why,
        facts=tuple(facts),
        owner=_owner(definition, people),
    )
