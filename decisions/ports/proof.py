"""What other systems say was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from decisions.ports.value import Frozen


class Deed(Frozen):
    """What another system says was done, as a receipt.

    Attributes:
        source: The connection it came through.
        id: Names the receipt over there; the same one counts once.
        decision: The decision it was done for.
        case: The case's key, where it names one.
        subject: The subject, where it names no case.
        acted_at: When it was done (timezone-aware).
        what: What was done, in its words.
    """

    source: str
    id: str
    decision: str
    case: str | None = None
    subject: str | None = None
    acted_at: datetime
    what: str | None = None


@runtime_checkable
class Prover(Protocol):
    """Another system that sends receipts of what was done.

    Attributes:
        name: The connection's name in ``connections.yaml``.
    """

    name: str

    def signed(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return the id of a receipt that this system signed just now; None of anything else.

        It costs the same whatever came, and raises nothing.

        Args:
            body: As it came.
            headers: As they came; names in lower case.
        """

    def read(self, body: bytes, id_: str) -> Deed:
        """Return what a receipt says.

        Raises:
            NotUnderstood: It cannot be read; all that is wrong with it.
        """
