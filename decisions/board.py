"""What owners do to a decision's versions; every such act, from wherever it comes, passes here.

One transaction an act: who may, whether the version is in a state that allows it, what changes,
and the entry. An act that has been done already is answered and done no second time.
"""

from contextlib import AbstractContextManager

from decisions.deciding.rehearsal import failed_examples
from decisions.definition import Definition
from decisions.desk import Author
from decisions.errors import LifecycleError
from decisions.ledger import Ledger, Transaction
from decisions.ledger.records import Signature, Version
from decisions.ledger.releases import change_version, stage_of
from decisions.ledger.resumption import restart_waits
from decisions.ledger.standings import in_force, needs_signing, place, record_version, standing_of
from decisions.ledger.versions import pinned, signed, version_of, versions_of
from decisions.ownership import People
from decisions.quorum import Quorum
from decisions.refusal import refusals_entered
from decisions.release import LIVE, Placing, Ruling, Stage, check_move


class Board:
    """Takes the acts of owners, and says what may run.

    Args:
        ledger: Where everything is recorded.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def release(
        self,
        definition: Definition,
        author: Author,
        *,
        because: str | None = None,
        starts: Placing | None = None,
    ) -> Ruling:
        """Put the file's exact content before its owners, as a version of its own.

        Args:
            definition: The decision as its file says it now.
            author: Who releases it, and with that is its author.
            because: What is new, for those who sign.
            starts: The stage it takes by its last signature; else live.

        Raises:
            LifecycleError: An example fails, nothing has changed, or nobody could sign it.
        """
        self._people.person(author.person)
        with self._ledger.writing() as transaction:
            self._check_release(transaction, definition)
            draft = record_version(transaction, definition, stage=Stage.DRAFT)
            told = {"because": because, "starts": str(starts) if starts else None}
            told |= {"released_by": author.person}
            version = change_version(transaction, draft, released_at=transaction.at, **told)
            quorum = Quorum(transaction, version, self._people)
            needed, waits_for = quorum.missing, quorum.waits_for()
            self._check_signable(quorum)
            body = {"definition": version.sha256, "needs": needed, "via": author.via} | told
            transaction.enter("released", version.name, body, actor=author.person)
        text = f"{version.name} is released; it waits for {waits_for}"
        return Ruling(version.decision, version.number, Stage.RELEASED, text, needed)

    def sign(
        self,
        decision: str,
        author: Author,
        *,
        number: int | None = None,
        written: Definition | None = None,
    ) -> Ruling:
        """Agree to the exact content of a version; the last signature starts it.

        Args:
            decision: Its name.
            author: Who signs.
            number: The version; else the one released last.
            written: The decision as its file says it now: no version is signed in its stead.

        Raises:
            LifecycleError: There is no such version, or the file has changed since.
            NotEntitled: The person does not sign this version.
        """
        self._people.person(author.person)
        with self._refused("sign", decision, author), self._ledger.writing() as transaction:
            version = _released(transaction, decision, number)
            if number is None:
                _check_unchanged(version, written)
            quorum = Quorum(transaction, version, self._people)
            given = signed(transaction.connection, version).get(author.person, ())
            fresh = [role for role in quorum.roles(author.person) if role not in given]
            if not fresh:
                return self._ruling(quorum, f"{self._name(author)} had signed it", repeated=True)
            at = transaction.at
            transaction.add(
                Signature(
                    version_id=version.id, person=author.person, roles=fresh, at=at, via=author.via
                )
            )
            body = {"definition": version.sha256, "as": fresh, "via": author.via}
            transaction.enter("signed", version.name, body, actor=author.person)
            if version.signed_at is None and not quorum.missing:
                version = change_version(transaction, version, signed_at=at)
                _start(transaction, version, author)
            quorum = Quorum(transaction, version, self._people)
            return self._ruling(quorum, f"{self._name(author)} signed it")

    def stage(
        self, decision: str, placing: Placing, author: Author, *, number: int | None = None
    ) -> Ruling:
        """Move a signed version: into shadow, onto a share of the subjects, or live.

        Raises:
            LifecycleError: No version is signed, or the stage it is in does not allow the move.
            NotEntitled: The person is none of those who sign.
        """
        with self._refused("stage", decision, author), self._ledger.writing() as transaction:
            version = _signed(transaction, decision, number)
            quorum = Quorum(transaction, version, self._people)
            quorum.admit(author.person)
            check_move(version.name, stage_of(transaction.connection, version), placing)
            place(transaction, version, placing, "staged", author.person, author.via)
            return self._ruling(quorum, f"{self._name(author)} moved it on")

    def rollback(
        self, decision: str, number: int, author: Author, *, because: str | None = None
    ) -> Ruling:
        """Make a version that was signed before act on everybody again; that ends a halt, too.

        Raises:
            LifecycleError: The version was never signed, or acts on everybody already.
            NotEntitled: The person is none of those who sign.
        """
        with self._refused("roll back", decision, author), self._ledger.writing() as transaction:
            version = _signed(transaction, decision, number)
            quorum = Quorum(transaction, version, self._people)
            quorum.admit(author.person)
            before = standing_of(transaction.connection, decision)
            is_live = before is not None and before.version_id == version.id and before.share == 1
            if before is not None and is_live:
                todo = "resume it" if before.halted else "there is nothing to go back to"
                raise LifecycleError(f"{version.name} is the version in force; {todo}")
            place(transaction, version, LIVE, "rolled back", author.person, author.via, because)
            ended = ""
            if before is not None and before.halted:
                restart_waits(transaction, decision, self._people, since=before.at)
                ended = ", which ends the halt"
            return self._ruling(quorum, f"{self._name(author)} went back to it{ended}")

    def _refused(self, act: str, decision: str, author: Author) -> AbstractContextManager[None]:
        return refusals_entered(self._ledger, act, decision, person=author.person, via=author.via)

    def _name(self, author: Author) -> str:
        return self._people.name(author.person)

    def _check_release(self, transaction: Transaction, definition: Definition) -> None:
        connection, decision = transaction.connection, definition.decision
        acting = in_force(connection, standing_of(connection, decision))
        if not needs_signing(definition, acting):
            raise LifecycleError(
                f"{decision} declares no sign_off: it is live as soon as it is run, and there is "
                "nothing to release"
            )
        failed = failed_examples(definition, today=transaction.at.date())
        if failed:
            said = "; ".join(each.text for each in failed)
            raise LifecycleError(f"{decision} is not released: {said}")
        known = version_of(connection, definition)
        if known is None or known.released_at is None:
            return
        newest = versions_of(connection, decision)[-1]
        if newest.number == known.number:
            by = self._people.name(str(known.released_by))
            raise LifecycleError(f"nothing has changed since {by} released {known.name}")
        raise LifecycleError(
            f"this is what {known.name} says; go back to it with "
            f"`followthrough rollback {decision} v{known.number}`"
        )

    def _check_signable(self, quorum: Quorum) -> None:
        for name, may in quorum.may_sign().items():
            if not may:
                by = self._people.name(quorum.author)
                raise LifecycleError(
                    f"nobody could sign {quorum.version.name} as {name}, since {by} releases "
                    "it; let somebody else release it, or name a backup owner"
                )

    def _ruling(self, quorum: Quorum, what: str, *, repeated: bool = False) -> Ruling:
        version = quorum.version
        stage = str(stage_of(quorum.transaction.connection, version))
        left = () if version.signed_at else quorum.missing
        now = f"it waits for {quorum.waits_for()}" if left else f"it is {stage}"
        text = f"{version.name}: {what}; {now}"
        return Ruling(version.decision, version.number, stage, text, left, repeated)


def _released(transaction: Transaction, decision: str, number: int | None) -> Version:
    known = [each for each in versions_of(transaction.connection, decision)
             if each.released_at is not None]  # fmt: skip
    return _chosen(known, decision, number, "released")


def _signed(transaction: Transaction, decision: str, number: int | None) -> Version:
    known = [each for each in versions_of(transaction.connection, decision)
             if each.signed_at is not None]  # fmt: skip
    return _chosen(known, decision, number, "signed")


def _chosen(known: list[Version], decision: str, number: int | None, what: str) -> Version:
    if not known:
        raise LifecycleError(f"no version of {decision} is {what} yet")
    if number is None:
        return known[-1]
    found = next((each for each in known if each.number == number), None)
    if found is None:
        there = ", ".join(f"v{each.number}" for each in known[-8:])
        raise LifecycleError(f"{decision}/v{number} is not {what}; {what} are {there}")
    return found


def _check_unchanged(version: Version, written: Definition | None) -> None:
    if written is not None and written != pinned(version):
        raise LifecycleError(
            f"the file says something else than {version.name} by now; release it first, or "
            f"name the version you mean: {version.name}"
        )


def _start(transaction: Transaction, version: Version, author: Author) -> None:
    """Give a version its first stage, unless the decision is halted or a newer one acts."""
    standing = standing_of(transaction.connection, version.decision)
    acting = in_force(transaction.connection, standing)
    if standing is not None and standing.halted:
        return
    if acting is not None and acting.signed_at and acting.number > version.number:
        return
    placing = Placing.parse(version.starts) if version.starts else LIVE
    place(transaction, version, placing, "signed", author.person, author.via)
