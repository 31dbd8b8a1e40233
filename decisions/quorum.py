"""Who may act on a version, who has signed it, and who still has to."""

from dataclasses import dataclass

from decisions.definition import Definition
from decisions.entitlement import entitled
from decisions.errors import NotEntitled
from decisions.ledger import Transaction
from decisions.ledger.records import Version
from decisions.ledger.standings import in_force, standing_of
from decisions.ledger.versions import pinned, signed
from decisions.ownership import People
from decisions.release import SOMEBODY_ELSE, entitlements, missing, rules


@dataclass(frozen=True, slots=True)
class Quorum:
    """Those whose agreement one version needs, as things stand in a transaction.

    Attributes:
        transaction: Nobody else writes while it is open.
        version: The version, released.
        people: Who there is.
    """

    transaction: Transaction
    version: Version
    people: People

    @property
    def author(self) -> str:
        """Who released the version."""
        return str(self.version.released_by)

    def may_sign(self, author: str | None = None) -> dict[str, set[str]]:
        """Return who may sign, by the name they sign as.

        Args:
            author: The author, if it is not the version's; an empty text for nobody.
        """
        connection = self.transaction.connection
        acting = in_force(connection, standing_of(connection, self.version.decision))
        asked = rules(
            pinned(self.version),
            pinned(acting) if acting else None,
            acting.number if acting else 0,
        )
        by = self.author if author is None else author
        return entitlements(asked, self.people, author=by, at=self.transaction.at)

    @property
    def missing(self) -> tuple[str, ...]:
        """As whom somebody still has to sign."""
        given = signed(self.transaction.connection, self.version)
        return missing(self.may_sign(), given, author=self.author)

    def waits_for(self) -> str:
        """Return who still has to sign, in words."""
        may = self.may_sign() | {SOMEBODY_ELSE: self.owners(pinned(self.version)) - {self.author}}
        said = []
        for name in self.missing:
            known = sorted(self.people.name(key) for key in may[name])
            said.append(f"{' or '.join(known) or 'nobody'} ({name})")
        return " and ".join(said)

    def owners(self, *definitions: Definition) -> set[str]:
        """Return who owns the decision at this instant, stand-ins included."""
        at, people = self.transaction.at, self.people
        found: set[str] = set()
        for each in definitions:
            found |= entitled(people, each.owners, assignee=None, told=(), at=at)
        return found

    def roles(self, person: str) -> list[str]:
        """Return the names that a person may sign as.

        Raises:
            NotEntitled: There are none.
        """
        found = [name for name, may in self.may_sign().items() if person in may]
        owners = self.owners(pinned(self.version))
        if SOMEBODY_ELSE in self.missing and person in owners - {self.author}:
            found.append(SOMEBODY_ELSE)
        if found or person in signed(self.transaction.connection, self.version):
            return found
        name, version = self.people.name(person), self.version.name
        if person == self.author and any(person in may for may in self.may_sign("").values()):
            raise NotEntitled(
                f"{name} released {version} and may not sign it; it waits for {self.waits_for()}"
            )
        waits = f"it waits for {self.waits_for()}" if self.missing else "all who have to did"
        raise NotEntitled(f"{name} does not sign {version}; {waits}")

    def admit(self, person: str) -> None:
        """See that a person is one of those who sign, author or not.

        Raises:
            NotEntitled: They are not.
        """
        may = self.may_sign("")
        allowed = set().union(*may.values())
        if person in allowed:
            return
        known = ", ".join(sorted(self.people.name(key) for key in allowed))
        raise NotEntitled(
            f"{self.people.name(person)} may not move {self.version.decision} on or back; "
            f"{known} may"
        )
