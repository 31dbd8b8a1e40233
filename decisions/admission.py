"""Whether somebody may see or do something; every page and every program is asked here.

Fails closed: whoever has no role that allows an act is refused, and the refusal is entered.
"""

from decisions.definition import Definition
from decisions.errors import NotEntitled
from decisions.ledger import Ledger
from decisions.ownership import People
from decisions.permission import ALLOWED, Act, Role, roles_of
from decisions.refusal import refusals_entered


class Admission:
    """Says who may do what.

    Args:
        ledger: Where refusals are entered, and which versions act.
        people: Who there is.
    """

    def __init__(self, ledger: Ledger, people: People) -> None:
        self._ledger = ledger
        self._people = people

    def roles(self, person: str | None, *written: Definition) -> frozenset[Role]:
        """Return what a person is to a decision now.

        Args:
            person: Key of the person; None where nobody has signed in, who has no role.
            written: The decision as its file says it; several for what one is to any of them.
        """
        if person is None:
            return frozenset()
        at = self._ledger.clock()
        found = frozenset[Role]()
        for each in written or ():
            found |= roles_of(person, self._said(each), self._people, at)
        return found or roles_of(person, (), self._people, at)

    def may(self, person: str | None, act: Act, *written: Definition) -> bool:
        """Whether a person may do something; see ``roles``."""
        return bool(ALLOWED.get(act, frozenset()) & self.roles(person, *written))

    def admit(
        self, person: str | None, act: Act, about: str, *written: Definition, via: str
    ) -> None:
        """See that a person may do something.

        Args:
            person: Key of the person; None where nobody has signed in.
            act: What they want to do.
            about: To what, for the history: a decision, a case, the ledger.
            written: The decision as its file says it; several where any of them will do.
            via: Where they ask.

        Raises:
            NotEntitled: They may not.
        """
        if person is None:
            raise NotEntitled(f"sign in first to {act}")
        if self.may(person, act, *written):
            return
        with refusals_entered(self._ledger, act, about, person=person, via=via):
            needed = " or ".join(sorted(ALLOWED.get(act, ()))) or "nobody"
            name = self._people.name(person)
            raise NotEntitled(f"{name} may not {act} ({about}); it takes the role: {needed}")

    def _said(self, written: Definition) -> tuple[Definition, ...]:
        acting = [each.definition for each in self._ledger.releases.mandates(written) if each.acts]
        return (written, *(each for each in acting if each != written))
