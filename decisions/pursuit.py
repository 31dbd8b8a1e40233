"""Takes the steps that have fallen due: tells the next person, wakes the snoozed, closes the rest.

Recording a step and queueing its message are one transaction; sending is the outbox's work. A step
is taken once however many sweeps run, and one sweep takes one step of a case.
"""

from typing import Any

from decisions.definition import Action, Definition
from decisions.escalation import ASSIGNEE, End, Telling, due_step
from decisions.ledger import Ledger, Transaction
from decisions.ledger.records import Case, CaseState
from decisions.ownership import ASSIGNEES_MANAGER, People, resolve
from decisions.ports import Kind
from decisions.worktime import deadline


class Pursuit:
    """Follows cases up until somebody answers or nobody is left to tell.

    Args:
        ledger: Where everything is recorded.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def take_step(self, key: str) -> str | None:
        """Take the step of a case that has fallen due, if one still is.

        Returns:
            What was done, in words; None if nothing was due any more.
        """
        with self._ledger.writing() as transaction:
            case = transaction.case(key)
            if case.due_at is None or case.due_at > transaction.at:
                return None
            definition = transaction.definition(case)
            action = definition.actions[case.action]
            if case.snoozed_until is not None:
                return self._wake(transaction, case, action)
            step = due_step(action, state=case.state, taken=case.step)
            if isinstance(step, Telling):
                return self._tell(transaction, case, definition, step)
            return _end(transaction, case, step)

    def _wake(self, transaction: Transaction, case: Case, action: Action) -> str:
        assignee = self._people.standin(str(case.assignee), transaction.at).person
        if case.state == CaseState.ACKNOWLEDGED:
            fresh = {"cycle": case.cycle + 1, "step": 1, "snoozed_until": None, "due_at": None}
            changed = transaction.change(case, **fresh)
            transaction.notify(
                changed, kind=Kind.REMINDED, recipient=assignee, because="snoozed until now"
            )
        else:
            anew = asked_anew(transaction, case, action, self._people, assignee=assignee)
            transaction.change(case, **anew)
        transaction.enter("woke", case.key, {"assignee": assignee})
        return f"{case.key} woke up"

    def _tell(
        self, transaction: Transaction, case: Case, definition: Definition, step: Telling
    ) -> str:
        standin = resolve(
            str(case.assignee) if step.to == ASSIGNEE else step.to,
            people=self._people,
            owners=definition.owners,
            assignee=case.assignee,
            at=transaction.at,
        )
        changed = transaction.change(case, step=case.step + 1, due_at=None)
        because = "manager of the assignee" if step.to == ASSIGNEES_MANAGER else step.to
        transaction.notify(changed, kind=step.kind, recipient=standin.person, because=because)
        transaction.enter(
            step.kind, case.key, {"step": changed.step, "to": standin.person, "as": because}
        )
        return f"{case.key}: {self._people.person(standin.person).name} is told"


def asked_anew(
    transaction: Transaction, case: Case, action: Action, people: People, *, assignee: str
) -> dict[str, Any]:
    """Queue the ask of a new cycle and return the columns that begin it.

    What was still to be sent is taken back.

    Args:
        transaction: Where it is recorded.
        case: The case as it stands.
        action: Its action, as pinned.
        people: Who there is.
        assignee: Who is asked.
    """
    anew: dict[str, Any] = {
        "assignee": assignee,
        "cycle": case.cycle + 1,
        "step": 0,
        "snoozed_until": None,
        "due_at": None,
        "respond_by": deadline(transaction.at, action.respond_within, people.hours(assignee)),
    }
    transaction.supersede(case)
    transaction.notify(
        case.model_copy(update=anew), kind=Kind.ASKED, recipient=assignee, because="assignee"
    )
    return anew


def _end(transaction: Transaction, case: Case, end: End) -> str:
    told = {"told": sorted(transaction.told(case))}
    if end is End.CLOSE_UNANSWERED:
        transaction.supersede(case)
        transaction.change(case, state=CaseState.UNANSWERED, closed_at=transaction.at, due_at=None)
        transaction.enter("unanswered", case.key, told)
        return f"{case.key}: nobody answered, closed"
    transaction.change(case, due_at=None)
    transaction.enter("policy ended", case.key, told)
    return f"{case.key}: nobody is left to tell, stays {case.state}"
