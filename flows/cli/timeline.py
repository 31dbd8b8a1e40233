"""What happened to a case, as sentences in order of time."""

from collections.abc import Iterator
from datetime import datetime

from decisions.ledger import SYSTEM, Dossier
from decisions.ledger.records import Answer, Notification, NotificationState, Outcome
from decisions.ledger.results import REPORTED
from decisions.lifecycle import PAST, Move
from decisions.ownership import People
from flows.cli.here import name_of

_STANDING = {
    NotificationState.PENDING: "is to be told",
    NotificationState.SENDING: "is being told",
    NotificationState.SENT: "was told",
    NotificationState.UNKNOWN: "may have been told; it is being looked up",
    NotificationState.UNREACHABLE: "could not be reached",
    NotificationState.DEAD: "could not be told, given up",
    NotificationState.SUPERSEDED: "need not be told any more",
}


_NOT_ELSEWHERE = {
    "unanswered": "nobody answered; closed",
    "woke": "woke up",
    "policy ended": "everybody was told; it stays as it is",
}
"""What only the history of entries tells."""


def timeline(dossier: Dossier, people: People) -> list[tuple[datetime, str]]:
    """Return instants (timezone-aware) with what happened then, oldest first.

    Args:
        dossier: The case and all its rows.
        people: Who there is; somebody who is not in there any more is called by their key.
    """
    lines = [*_opening(dossier), *_told(dossier, people), *_said(dossier, people)]
    lines += [
        (entry.at, _NOT_ELSEWHERE[entry.act])
        for entry in dossier.entries
        if entry.act in _NOT_ELSEWHERE
    ]
    return sorted([*lines, *_came_of_it(dossier, people)], key=lambda line: line[0])


def _opening(dossier: Dossier) -> Iterator[tuple[datetime, str]]:
    case = dossier.case
    model = f"{case.model_name} {case.model_version}"
    begun = "held out on purpose, and given to nobody," if case.arm == "control" else "opened"
    yield case.opened_at, f"{begun} by run {case.run_id}: {model} gave {case.score:g}"


def _told(dossier: Dossier, people: People) -> Iterator[tuple[datetime, str]]:
    for given in dossier.assignments:
        by = "" if given.by == SYSTEM else f" by {name_of(people, given.by)}"
        because = f": {given.because}" if given.because else ""
        yield given.at, f"given to {name_of(people, given.assignee)}{by}{because}"
    for told in dossier.notifications:
        yield told.sent_at or told.created_at, _telling(told, people)


def _telling(told: Notification, people: People) -> str:
    standing = _STANDING[NotificationState(told.state)]
    through = f" through {told.channel}" if told.channel else ""
    failure = f": {told.failure}" if told.failure and told.sent_at is None else ""
    return f"{name_of(people, told.recipient)} {standing}{through} ({told.kind}){failure}"


def _said(dossier: Dossier, people: People) -> Iterator[tuple[datetime, str]]:
    for answer in dossier.answers:
        yield answer.at, _saying(answer, people)


def _saying(answer: Answer, people: People) -> str:
    name, done = name_of(people, answer.by), PAST[Move(answer.kind)]
    if not answer.accepted:
        return f"{name} could not {answer.kind} ({answer.via}): {answer.told}"
    whom = f" to {name_of(people, answer.to)}" if answer.to else ""
    until = f" until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    said = ": ".join(text for text in (answer.reason, answer.note) if text)
    return f"{name} {done}{whom}{until} ({answer.via})" + (f": {said}" if said else "")


def _came_of_it(dossier: Dossier, people: People) -> Iterator[tuple[datetime, str]]:
    for made in dossier.interventions:
        if made.source == REPORTED and made.acted_at == made.recorded_at:
            continue  # the answer says the same
        by = f" by {name_of(people, made.by)}" if made.by else ""
        yield made.acted_at, f"intervention {made.source}{by}: {made.what}"
    measure = dossier.definition.outcome.measure if dossier.definition.outcome else "outcome"
    for nth, outcome in enumerate(dossier.outcomes):
        yield outcome.recorded_at, _outcome(outcome, measure, is_correction=nth > 0)


def _outcome(outcome: Outcome, measure: str, *, is_correction: bool) -> str:
    source = f" (from {outcome.source})" if outcome.source else ""
    kind = "outcome corrected" if is_correction else "outcome"
    match outcome.state:
        case "missing":
            return f"{kind}: no row for {measure} was found"
        case "censored":
            return f"{kind}: {measure} can never be known: {outcome.reason}{source}"
    return f"{kind}: {measure} is {outcome.value:g}{source}"
