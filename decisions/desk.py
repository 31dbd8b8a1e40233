"""What a person may do to a case; every answer, from wherever it comes, passes here.

One transaction an answer: who may, whether the case still allows it, the change, the entry, and
taking back what was still to be sent. The first answer wins; a late one is recorded and its author
is told who answered and when.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from decisions.definition import Action, Definition
from decisions.entitlement import entitled
from decisions.errors import LifecycleError, NotEntitled
from decisions.ledger import Ledger, Transaction
from decisions.ledger.records import Answer, Case, CaseState, Intervention
from decisions.ledger.results import REPORTED
from decisions.lifecycle import PAST, Move, after
from decisions.ownership import People, Standin
from decisions.pursuit import asked_anew
from decisions.wording import instant
from decisions.worktime import deadline, working_time

LONGEST_SNOOZE = timedelta(days=30)
"""A case may be put off, not buried."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who answers, from where, and by which click or command.

    Attributes:
        person: Key in ``people.yaml``.
        via: ``slack``, ``inbox``, ``mail`` (a personal link), ``command line`` or ``api``.
        interaction: Names the click or command; the same one counts once.
    """

    person: str
    via: str
    interaction: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the author of an answer is told.

    Attributes:
        case: The case's key.
        state: Where the case stands now.
        text: One sentence.
        repeated: Whether this very click or command had been recorded before.
    """

    case: str
    state: str
    text: str
    repeated: bool = False


class Desk:
    """Takes people's answers.

    Args:
        ledger: Where everything is recorded.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def acknowledge(self, key: str, author: Author) -> Reply:
        """Say "I have it": ends escalation for want of an answer, starts the time to complete.

        Whoever says so holds the case from then on.

        Raises:
            LifecycleError: There is no such case, or it does not wait for this any more.
            NotEntitled: The person may not answer this case.
        """

        def act(transaction: Transaction, case: Case, action: Action) -> dict[str, Any]:
            complete_by = None
            if action.complete_within:
                hours = self._people.hours(author.person)
                complete_by = deadline(transaction.at, action.complete_within, hours)
            if author.person != case.assignee:
                taken = Standin(author.person, case.assignee)
                transaction.assign(case, taken, by=author.person, because="acknowledged it")
            return {
                "assignee": author.person,
                "complete_by": complete_by,
                "due_at": complete_by,
                "answered_at": transaction.at,
                "snoozed_until": None,
                "cycle": case.cycle + 1,
                "step": 0,
            }

        return self._answer(key, author, Move.ACKNOWLEDGE, act)

    def override(self, key: str, author: Author, *, reason: str, note: str) -> Reply:
        """Decide otherwise than recommended, for one of the definition's reasons and a sentence.

        Raises:
            LifecycleError: As for ``acknowledge``; or the reason is not one of the listed, or the
                sentence is missing.
            NotEntitled: The person may not answer this case.
        """

        def act(transaction: Transaction, case: Case, action: Action) -> dict[str, Any]:
            if reason not in action.override_reasons:
                listed = ", ".join(repr(one) for one in action.override_reasons)
                both = "" if unsaid is None else f"; and {unsaid}"
                raise LifecycleError(
                    f"{reason!r} is not a reason for {case.key}; allowed: {listed}{both}",
                    about="reason",
                )
            if unsaid is not None:
                raise unsaid
            return _closing(case, transaction)

        said, unsaid = note, None
        try:
            said = _sentence(note)
        except LifecycleError as fault:
            unsaid = fault
        return self._answer(key, author, Move.OVERRIDE, act, reason=reason, note=said)

    def snooze(self, key: str, author: Author, *, until: datetime) -> Reply:
        """Put the case off; its assignee is asked again at ``until`` (timezone-aware).

        Raises:
            LifecycleError: As for ``acknowledge``; or ``until`` has passed or is too far ahead.
            NotEntitled: The person may not answer this case.
        """

        def act(transaction: Transaction, case: Case, _action: Action) -> dict[str, Any]:
            if not transaction.at < until <= transaction.at + LONGEST_SNOOZE:
                raise LifecycleError(
                    f"{case.key} cannot be snoozed until {self._read(until, author)}; choose an "
                    f"instant to come, at most {LONGEST_SNOOZE.days} days ahead",
                    about="until",
                )
            return {"snoozed_until": until, "due_at": until}

        return self._answer(key, author, Move.SNOOZE, act, until=until)

    def reassign(self, key: str, author: Author, *, to: str, note: str) -> Reply:
        """Hand the case to another person, who is asked anew; a stand-in if they are away.

        Raises:
            LifecycleError: As for ``acknowledge``; or the sentence is missing.
            NotEntitled: The person may not answer this case.
            UnknownPerson: There is no person ``to``.
        """
        said = _sentence(note)

        def act(transaction: Transaction, case: Case, action: Action) -> dict[str, Any]:
            standin = self._people.standin(to, transaction.at)
            if standin.person == case.assignee:
                name = self._people.name(standin.person)
                raise LifecycleError(f"{case.key} already is with {name}", about="to")
            transaction.assign(case, standin, by=author.person, because=said)
            changes = {"complete_by": None, "answered_at": None, "state": CaseState.OPEN}
            return changes | asked_anew(
                transaction,
                case,
                action,
                self._people,
                assignee=standin.person,
                because=f"handed over by {self._people.name(author.person)}: {said}",
            )

        return self._answer(key, author, Move.REASSIGN, act, to=to, note=said)

    def done(
        self, key: str, author: Author, *, what: str, acted_at: datetime | None = None
    ) -> Reply:
        """Report that the work is done, and what was done.

        Args:
            key: The case.
            author: Who reports.
            what: What was done, in a sentence.
            acted_at: When (timezone-aware); now if left out.

        Raises:
            LifecycleError: As for ``acknowledge``; or the sentence is missing, or ``acted_at`` is
                still to come.
            NotEntitled: The person may not answer this case.
        """
        said = _sentence(what)

        def act(transaction: Transaction, case: Case, _action: Action) -> dict[str, Any]:
            when = acted_at or transaction.at
            if when > transaction.at:
                raise LifecycleError(
                    f"{case.key} cannot have been completed in the time to come", about="at"
                )
            if when < case.opened_at:
                raise LifecycleError(
                    f"{case.key} was opened on {self._read(case.opened_at, author)}; what was done "
                    "before is no answer to it, override it with a reason instead",
                    about="at",
                )
            transaction.add(
                Intervention(
                    case_id=case.id,
                    source=REPORTED,
                    by=author.person,
                    what=said,
                    acted_at=when,
                    recorded_at=transaction.at,
                )
            )
            return _closing(case, transaction)

        return self._answer(key, author, Move.DONE, act, note=said)

    def admit(self, key: str, author: Author, move: Move) -> None:
        """See that a person may make a move, before they are asked for the rest of it.

        A refusal is recorded as that of an answer is.

        Raises:
            LifecycleError: As for ``acknowledge``.
            NotEntitled: The person may not answer this case.
        """

        def act(_transaction: Transaction, _case: Case, _action: Action) -> dict[str, Any]:
            raise _Admitted

        with suppress(_Admitted):
            self._answer(key, author, move, act)

    def _answer(
        self,
        key: str,
        author: Author,
        move: Move,
        act: Callable[[Transaction, Case, Action], dict[str, Any]],
        **said: Any,
    ) -> Reply:
        refusal: LifecycleError | None = None
        with self._ledger.writing() as transaction:
            earlier = transaction.answer_to(author.interaction)
            case = transaction.case(key)
            if transaction.at < case.opened_at:
                raise LifecycleError(
                    f"{key} was opened at {case.opened_at:%Y-%m-%d %H:%M} UTC; "
                    "nobody can have answered it before"
                )
            if earlier is not None:
                return _repeated(case, earlier, author)
            self._people.person(author.person)
            definition = transaction.definition(case)
            try:
                self._admit(transaction, case, definition, author)
                if move is Move.ACKNOWLEDGE and _is_theirs(case, author):
                    return Reply(key, case.state, self._told_of(case, move, author), repeated=True)
                state = self._allowed(transaction, case, move, author)
            except LifecycleError as found:
                refusal = found
                _record(transaction, case, author, move, said, refusal=str(found))
            else:
                before = case
                said["worked"] = self._worked(transaction, case)
                changes = {"state": state} | act(transaction, case, definition.actions[case.action])
                if move is not Move.REASSIGN:
                    transaction.supersede(case)
                case = transaction.change(case, **changes)
                _record(transaction, before, author, move, said, state=case.state)
        if refusal is not None:
            raise refusal
        return Reply(key, case.state, self._told_of(case, move, author))

    def _worked(self, transaction: Transaction, case: Case) -> int | None:
        """Return the seconds the assignee has worked since they were told of the question.

        Reckoned now, by the hours they have now: people.yaml will not tell later.
        """
        asked_at = transaction.asked_at(case)
        if asked_at is None or case.assignee not in self._people.people:
            return None
        worked = working_time(asked_at, transaction.at, self._people.hours(case.assignee))
        return int(worked.total_seconds())

    def _admit(
        self, transaction: Transaction, case: Case, definition: Definition, author: Author
    ) -> None:
        told = transaction.told(case)
        may = entitled(
            self._people, definition.owners, assignee=case.assignee, told=told, at=transaction.at
        )
        if author.person in may and case.state != CaseState.HELD_OUT:
            return
        if case.state in {CaseState.HELD_OUT, CaseState.RELEASED}:
            raise NotEntitled(f"{case.key} is held out on purpose; nobody acts on it")
        name = self._people.name(author.person)
        holder = self._people.name(str(case.assignee))
        raise NotEntitled(
            f"{name} may not answer {case.key}; it is with {holder}, and only they, their cover, "
            "the owners and whoever was told of it may"
        )

    def _allowed(self, transaction: Transaction, case: Case, move: Move, author: Author) -> str:
        try:
            return after(case.state, move)
        except LifecycleError as refused:
            last = transaction.last_answer(case)
            if last is None:
                raise
            name = self._people.name(last.by)
            raise LifecycleError(
                f"{case.key} was already {PAST[Move(last.kind)]} by {name} on "
                f"{self._read(last.at, author)}; your answer is recorded as late"
            ) from refused

    def _read(self, at: datetime, author: Author) -> str:
        return instant(at, self._people.person(author.person).zone)

    def _told_of(self, case: Case, move: Move, author: Author) -> str:
        if move is Move.SNOOZE and case.snoozed_until:
            return f"{case.key} is snoozed until {self._read(case.snoozed_until, author)}"
        if move is Move.REASSIGN:
            return f"{case.key} is now with {self._people.name(str(case.assignee))}"
        if move is Move.ACKNOWLEDGE and case.complete_by:
            return f"{case.key} is yours; complete it by {self._read(case.complete_by, author)}"
        if move is Move.ACKNOWLEDGE:
            return f"{case.key} is yours"
        return f"{case.key} is {case.state}"


def _is_theirs(case: Case, author: Author) -> bool:
    return case.state == CaseState.ACKNOWLEDGED and case.assignee == author.person


class _Admitted(Exception):
    """The move may be made; takes back the transaction in which that was found out."""


def _repeated(case: Case, earlier: Answer, author: Author) -> Reply:
    if (earlier.case_id, earlier.by) != (case.id, author.person):
        raise LifecycleError("this click or command was recorded for something else; answer anew")
    if not earlier.accepted:
        raise LifecycleError(str(earlier.told))
    return Reply(case.key, case.state, f"{case.key}: already recorded", repeated=True)


def _sentence(text: str) -> str:
    said = text.replace("\0", "").strip()
    if not 3 <= len(said) <= 2_000:
        found = f"{len(said):,} characters" if len(said) > 2_000 else repr(said)
        raise LifecycleError(
            f"say in a sentence why, or what was done (3 to 2,000 characters); found {found}",
            about="note",
        )
    return said


def _closing(case: Case, transaction: Transaction) -> dict[str, Any]:
    return {
        "answered_at": case.answered_at or transaction.at,
        "closed_at": transaction.at,
        "snoozed_until": None,
        "due_at": None,
    }


def _record(
    transaction: Transaction,
    case: Case,
    author: Author,
    move: Move,
    said: dict[str, Any],
    *,
    state: str | None = None,
    refusal: str | None = None,
) -> None:
    in_place_of = case.assignee if case.assignee != author.person else None
    transaction.add(
        Answer(
            interaction=author.interaction,
            case_id=case.id,
            kind=move,
            by=author.person,
            in_place_of=in_place_of,
            at=transaction.at,
            via=author.via,
            respond_by=case.respond_by,
            accepted=refusal is None,
            told=refusal,
            **said,
        )
    )
    body = {name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in said.items()}  # fmt: skip
    changed = {"refused": refusal} if refusal else {"before": case.state, "after": state}
    transaction.enter(
        PAST[move] if refusal is None else f"{move} refused",
        case.key,
        body | changed | {"via": author.via},
        actor=author.person,
        in_place_of=in_place_of,
    )
