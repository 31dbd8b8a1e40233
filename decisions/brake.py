"""What may run of a decision now, and stopping all of it at once."""

from contextlib import AbstractContextManager
from typing import Any

from decisions.definition import Definition
from decisions.desk import Author
from decisions.entitlement import entitled
from decisions.errors import Halted, LifecycleError, NotEntitled, NotInForce
from decisions.ledger import Ledger, Transaction
from decisions.ledger.records import Standing, Version
from decisions.ledger.resumption import restart_waits
from decisions.ledger.standings import Mandate, in_force, stand, standing_of
from decisions.ledger.versions import pinned, versions_of
from decisions.ownership import People
from decisions.ports import Kind
from decisions.quorum import Quorum
from decisions.refusal import refusals_entered
from decisions.release import Ruling, Stage


class Brake:
    """Says what may run; takes halts, and their end.

    Args:
        ledger: Where everything is recorded.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def mandates(self, definition: Definition) -> tuple[Mandate, ...]:
        """Return what may run of a decision now: a shadow first, then the version that acts.

        A decision that nobody has to sign runs as its file says.

        Args:
            definition: The decision as its file says it now.

        Raises:
            Halted: It is halted; that it was to run is recorded.
            NotInForce: It has to be signed, and no version of it is in a stage yet.
        """
        standing = self._ledger.releases.standing(definition.decision)
        found = self._ledger.releases.mandates(definition)
        if found and not (standing and standing.halted):
            return found
        refused: LifecycleError
        with self._ledger.writing() as transaction:
            if standing is not None and standing.halted:
                refused = self._refused(transaction, standing)
            else:
                refused = NotInForce(self._what_is_missing(transaction, definition))
        raise refused

    def halt(self, definition: Definition, author: Author, *, because: str) -> Ruling:
        """Stop a decision at once: nothing is decided, told or escalated until it is resumed.

        Args:
            definition: The decision as its file says it now.
            author: Who halts it: any owner.
            because: Why, in a sentence; the other owners hear it.

        Raises:
            LifecycleError: The sentence is missing.
            NotEntitled: The person does not own the decision.
        """
        decision, why = definition.decision, because.replace("\0", "").strip()
        if not 3 <= len(why) <= 2_000:
            raise LifecycleError("say in a sentence why it is halted (3 to 2,000 characters)")
        with self._entered("halt", decision, author), self._ledger.writing() as transaction:
            before = standing_of(transaction.connection, decision)
            acting = in_force(transaction.connection, before)
            self._check_owner(transaction, definition, acting, author)
            if before is not None and before.halted:
                text = f"{decision} is halted already, {self._by(before)}"
                return Ruling(decision, _number(acting), Stage.HALTED, text, repeated=True)
            told = {"by": author.person, "via": author.via, "because": why}
            now = stand(transaction, before, decision, act="halted", halted=True, **told)
            body = {"because": why, "via": author.via, "version": _number(acting)}
            transaction.enter("halted", decision, body, actor=author.person)
            self._tell(transaction, now, acting, author)
        text = f"{decision} is halted: nothing is decided, told or escalated until it is resumed"
        return Ruling(decision, _number(acting), Stage.HALTED, text)

    def resume(
        self, definition: Definition, author: Author, *, because: str | None = None
    ) -> Ruling:
        """End a halt: the decision goes on where it stood, every clock with its full wait.

        Raises:
            LifecycleError: It is not halted.
            NotEntitled: The person is none of those who sign; where nobody has to, no owner.
        """
        decision = definition.decision
        with self._entered("resume", decision, author), self._ledger.writing() as transaction:
            before = standing_of(transaction.connection, decision)
            if before is None or not before.halted:
                raise LifecycleError(f"{decision} is not halted")
            acting = in_force(transaction.connection, before)
            if acting is not None and acting.signed_at is not None:
                Quorum(transaction, acting, self._people).admit(author.person)
            else:
                self._check_owner(transaction, definition, acting, author)
            told: dict[str, Any] = {"by": author.person, "via": author.via, "because": because}
            stand(transaction, before, decision, act="resumed", halted=False, **told)
            cases = restart_waits(transaction, decision, self._people, since=before.at)
            body = {"because": because, "via": author.via, "cases": cases}
            transaction.enter("resumed", decision, body, actor=author.person)
        waits = ""
        if cases:
            count = f"{cases:,} {'case' if cases == 1 else 'cases'}"
            waits = f"; {count} whose time ran out meanwhile get all of it again"
        return Ruling(decision, _number(acting), "resumed", f"{decision} goes on{waits}")

    def _entered(self, act: str, decision: str, author: Author) -> AbstractContextManager[None]:
        return refusals_entered(self._ledger, act, decision, person=author.person, via=author.via)

    def _refused(self, transaction: Transaction, halt: Standing) -> Halted:
        body = {"halted": halt.at.isoformat(), "by": halt.by}
        transaction.enter("run refused", halt.decision, body)
        return Halted(
            f"{halt.decision} is halted, {self._by(halt)}; nothing was decided. "
            f"`followthrough resume {halt.decision}` ends that"
        )

    def _by(self, halt: Standing) -> str:
        by, at = self._people.name(halt.by), f"{halt.at:%Y-%m-%d %H:%M} UTC"
        return f"by {by} since {at}: {halt.because}"

    def _what_is_missing(self, transaction: Transaction, definition: Definition) -> str:
        decision = definition.decision
        lead = f"{decision} has to be signed before it decides anything"
        released = [each for each in versions_of(transaction.connection, decision)
                    if each.released_at is not None]  # fmt: skip
        if not released:
            return f"{lead}; `followthrough release {decision}` puts it before its owners"
        last = released[-1]
        if last.signed_at is None:
            waits_for = Quorum(transaction, last, self._people).waits_for()
            return f"{lead}; {last.name} waits for {waits_for}: `followthrough sign {decision}`"
        return f"{lead}; {last.name} is signed: `followthrough stage {decision} live` starts it"

    def _check_owner(
        self, transaction: Transaction, definition: Definition, acting: Version | None, by: Author
    ) -> None:
        said = [definition, *([pinned(acting)] if acting else [])]
        may: set[str] = set()
        for each in said:
            may |= entitled(self._people, each.owners, assignee=None, told=(), at=transaction.at)
        if by.person not in may:
            known = ", ".join(sorted(self._people.name(key) for key in may))
            raise NotEntitled(
                f"{self._people.name(by.person)} does not own {definition.decision}; "
                f"{known} may do that"
            )

    def _tell(
        self, transaction: Transaction, halt: Standing, acting: Version | None, author: Author
    ) -> None:
        if acting is None:
            return
        owners = Quorum(transaction, acting, self._people).owners(pinned(acting))
        for person in sorted(owners - {author.person}):
            key = f"standing {halt.id}:{person}:{Kind.HALTED}"
            transaction.queue(key, Kind.HALTED, person, "owner", standing_id=halt.id)


def _number(version: Version | None) -> int | None:
    return version.number if version else None
