"""Takes the steps that have fallen due: tells the next person, wakes the snoozed, closes the rest.

Recording a step and queueing its message are one transaction; sending is the outbox's work. A step
is taken once however many sweeps run, and one sweep takes one step of a case.
"""

from datetime import datetime, timedelta
from typing import Any

from decisions.definition import Action, Definition
from decisions.errors import UnknownPerson
from decisions.escalation import ASSIGNEE, End, Telling, due_step
from decisions.ledger import SYSTEM, Ledger, Transaction
from decisions.ledger.cases import Late
from decisions.ledger.records import Case, CaseState
from decisions.ledger.standings import is_halted
from decisions.ownership import ASSIGNEES_MANAGER, People, Standin, resolve
from decisions.ports import Kind
from decisions.worktime import deadline

WOKE = "snoozed until now"
"""Why whoever holds a case that was put off is asked again."""

ASK_AGAIN = timedelta(hours=12)
"""When a case is asked anew of which nobody could be told."""


class Pursuit:
    """Follows cases up until somebody answers or nobody is left to tell.

    Args:
        ledger: Where everything is recorded.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def own_up(self, than: timedelta) -> list[str]:
        """Let technical owners hear, once a day, that nobody took up what was due for so long.

        Each case still takes one step, and gives that person the full wait.

        Args:
            than: For how long a step may have been due without a word.

        Returns:
            What was done, in words.
        """
        at = self._ledger.clock()
        late = self._ledger.cases.late(at - than)
        if not late:
            return []
        with self._ledger.writing() as transaction:
            return [text for each in late if (text := self._owned_up(transaction, each))]

    def _owned_up(self, transaction: Transaction, late: Late) -> str | None:
        case, decision = late.first, late.first.decision
        to = standin_for(
            "technical", case, transaction.definition(case), self._people, transaction.at
        ).person
        key = f"alarm:late:{decision}:{transaction.at:%Y-%m-%d}:{to}"
        since = f"{late.since:%Y-%m-%d %H:%M} UTC"
        steps = "1 step is late" if late.count == 1 else f"{late.count:,} steps are late"
        because = (
            f"nobody took up what was due since {since}: {steps}. Each case takes one step now and "
            "gives that person the full wait"
        )
        is_news = transaction.queue_once(key, Kind.ALARMED, to, because, run_id=case.run_id)
        return f"{decision}: {steps} since {since}" if is_news else None

    def take_step(self, key: str) -> str | None:
        """Take the step of a case that has fallen due, if one still is.

        Returns:
            What was done, in words; None if nothing was due any more, or its decision is halted.
        """
        with self._ledger.writing() as transaction:
            case = transaction.case(key)
            if case.due_at is None or case.due_at > transaction.at:
                return None
            if is_halted(transaction.connection, case.decision):
                return None
            definition = transaction.definition(case)
            action = definition.actions[case.action]
            if case.snoozed_until is not None:
                return self._wake(transaction, case, definition)
            step = due_step(action, state=case.state, taken=case.step)
            if isinstance(step, Telling):
                return self._tell(transaction, case, definition, step)
            return _end(transaction, case, step)

    def _wake(self, transaction: Transaction, case: Case, definition: Definition) -> str:
        found = standin_for(ASSIGNEE, case, definition, self._people, transaction.at)
        if found.person != case.assignee:
            transaction.assign(case, found, by=SYSTEM, because="away when the case woke up")
        if case.state == CaseState.OPEN:
            action = definition.actions[case.action]
            anew = asked_anew(
                transaction,
                case,
                action,
                self._people,
                assignee=found.person,
                because=WOKE,
            )
            transaction.change(case, **anew)
        else:
            self._remind(transaction, case, found.person)
        transaction.enter("woke", case.key, {"assignee": found.person})
        return f"{case.key} woke up"

    def _remind(self, transaction: Transaction, case: Case, assignee: str) -> None:
        is_late = case.complete_by is not None and case.complete_by <= transaction.at
        changed = transaction.change(
            case,
            assignee=assignee,
            cycle=case.cycle + 1,
            step=1 if is_late else 0,
            snoozed_until=None,
            due_at=None if is_late else case.complete_by,
        )
        kind = Kind.REMINDED if is_late else Kind.ASKED
        transaction.notify(changed, kind=kind, recipient=assignee, because=WOKE)

    def _tell(
        self, transaction: Transaction, case: Case, definition: Definition, step: Telling
    ) -> str:
        found = standin_for(step.to, case, definition, self._people, transaction.at)
        changed = transaction.change(case, step=case.step + 1, due_at=None)
        role = "manager of the assignee" if step.to == ASSIGNEES_MANAGER else step.to
        because = f"{role}; {found.because}" if found.because else role
        transaction.notify(changed, kind=step.kind, recipient=found.person, because=because)
        transaction.enter(
            step.kind, case.key, {"step": changed.step, "to": found.person, "as": because}
        )
        return f"{case.key}: {self._people.name(found.person)} is told"


def standin_for(
    target: str, case: Case, definition: Definition, people: People, at: datetime
) -> Standin:
    """Return who is meant; the business owner where people.yaml has them no longer.

    Args:
        target: As the definition writes it, or ``ASSIGNEE``.
        case: The case.
        definition: The definition that it is pinned to.
        people: Who there is.
        at: The instant that absence is judged by (timezone-aware).
    """
    owners, holder = definition.owners, case.assignee
    meant = str(holder) if target == ASSIGNEE else target
    try:
        return resolve(meant, people=people, owners=owners, assignee=holder, at=at)
    except UnknownPerson as gap:
        found = resolve("business", people=people, owners=owners, assignee=holder, at=at)
        return Standin(found.person, found.in_place_of, f"business owner, since {gap}")


def asked_anew(
    transaction: Transaction,
    case: Case,
    action: Action,
    people: People,
    *,
    assignee: str,
    because: str = ASSIGNEE,
) -> dict[str, Any]:
    """Queue the ask of a new cycle and return the columns that begin it.

    What was still to be sent is taken back.

    Args:
        transaction: Where it is recorded.
        case: The case as it stands.
        action: Its action, as pinned.
        people: Who there is.
        assignee: Who is asked.
        because: Why them, as they read it.
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
        case.model_copy(update=anew), kind=Kind.ASKED, recipient=assignee, because=because
    )
    return anew


def _end(transaction: Transaction, case: Case, end: End) -> str:
    told = sorted(transaction.told(case))
    if not told:
        # Silence of somebody who was never told is no answer: begin anew when channels may work.
        again = transaction.at + ASK_AGAIN
        transaction.change(case, snoozed_until=again, due_at=again)
        transaction.enter("nobody told", case.key, {"again": again.isoformat()})
        return f"{case.key}: nobody could be told, asked again later"
    if end is End.CLOSE_UNANSWERED:
        transaction.supersede(case)
        transaction.change(case, state=CaseState.UNANSWERED, closed_at=transaction.at, due_at=None)
        transaction.enter("unanswered", case.key, {"told": told})
        return f"{case.key}: nobody answered, closed"
    transaction.change(case, due_at=None)
    transaction.enter("policy ended", case.key, {"told": told})
    return f"{case.key}: nobody is left to tell, stays {case.state}"
