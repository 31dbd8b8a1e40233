"""What a person is told about a case or a run, written from the ledger's facts."""

from typing import Any

from decisions.definition import Definition
from decisions.ledger import Claim
from decisions.ledger.records import Case, Run
from decisions.ownership import People
from decisions.ports import Addressee, Fact, Kind, Message
from decisions.wording import shown_facts, title, why

_LEADS = {
    Kind.ASKED: None,
    Kind.ESCALATED: "Nobody has answered in time",
    Kind.REMINDED: "Acknowledged, but not completed in time",
    Kind.WITHHELD: "Nothing was decided: the batch does not meet its data contract",
}


def message_for(claim: Claim, people: People, inbox_url: str) -> Message:
    """Return the message that the claimed notification stands for.

    Args:
        claim: The notification, with its case or run and the pinned definition.
        people: Who there is.
        inbox_url: The inbox's address, without a slash at the end.
    """
    told = claim.notification
    person = people.person(told.recipient)
    to = Addressee(
        person=told.recipient,
        name=person.name,
        email=person.email,
        slack=person.slack,
        zone=person.zone,
    )
    if claim.case is not None:
        return _about_case(claim, claim.case, to, people, inbox_url)
    if claim.run is None:
        raise TypeError(f"{told.key} is about no case and no run")
    return _about_run(claim, claim.run, to, people)


def _about_case(claim: Claim, case: Case, to: Addressee, people: People, inbox_url: str) -> Message:
    definition, action = claim.definition, claim.definition.actions[case.action]
    kind = Kind(claim.notification.kind)
    written: dict[str, Any] = {
        "facts": case.facts,
        "opened_at": case.opened_at,
        "zone": to.zone,
    }
    acknowledged = kind is Kind.REMINDED or case.state == "acknowledged"
    return Message(
        key=claim.notification.key,
        kind=kind,
        to=to,
        decision=definition.decision,
        case=case.key,
        lead=_lead(kind, case, to, people),
        title=title(definition, action=case.action, **written),
        why=why(definition, rule=case.rule, **written),
        facts=shown_facts(definition, case.action, case.facts, to.zone),
        owner=_owner(definition, people),
        answer_by=case.complete_by if acknowledged else case.respond_by,
        reasons=action.override_reasons,
        url=f"{inbox_url}/cases/{case.key}",
    )


def _lead(kind: Kind, case: Case, to: Addressee, people: People) -> str | None:
    lead = _LEADS[kind]
    if kind is Kind.ESCALATED and case.state == "acknowledged":
        lead = _LEADS[Kind.REMINDED]
    if lead is None or case.assignee in {None, to.person}:
        return lead
    return f"{lead}; it is with {people.name(str(case.assignee))}"


def _owner(definition: Definition, people: People) -> str:
    named = definition.owners.business
    return people.name(people.roles.get(named, named))


def _about_run(claim: Claim, run: Run, to: Addressee, people: People) -> Message:
    definition = claim.definition
    shown = run.faults[:10]
    more = len(run.faults) - len(shown)
    facts = [Fact(label=f"Found {n}", text=fault) for n, fault in enumerate(shown, start=1)]
    if more:
        facts.append(Fact(label="And", text=f"{more} more"))
    return Message(
        key=claim.notification.key,
        kind=Kind.WITHHELD,
        to=to,
        decision=definition.decision,
        lead=_LEADS[Kind.WITHHELD],
        title=f"{definition.decision}: the whole batch is withheld",
        why=f"Run {run.id} found its batch at fault; nobody was told of a case",
        facts=tuple(facts),
        owner=_owner(definition, people),
    )
