"""Ways to reach a person, and what some of them can do besides."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from decisions.ports.message import Addressee, Message
from decisions.ports.value import Frozen


class Receipt(Frozen):
    """The other side's word that it took the message.

    Attributes:
        reference: The other side's id for it, such as channel/ts.
        accepted_at: When it was taken (timezone-aware).
    """

    reference: str
    accepted_at: datetime


@runtime_checkable
class Channel(Protocol):
    """A way to reach a person.

    Attributes:
        name: The connection's name in ``connections.yaml``.
    """

    name: str

    def deliver(self, message: Message) -> Receipt:
        """Hand the message over, once.

        Raises:
            TemporaryFailure: Certainly not taken; a later try may succeed.
            PermanentFailure: Certainly not taken; this person cannot be reached here.
            UnknownOutcome: The other side may have taken it; ask ``find`` before a second try.
        """

    def find(self, message: Message) -> Receipt | None:
        """Return the receipt of a message sent earlier, or None if the other side has none.

        Raises:
            TemporaryFailure: The other side cannot be asked just now.
            UnknownOutcome: The other side cannot say.
        """


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel takes messages without losing any.

    Attributes:
        each: What has to lie between two messages to one person.
        all: What has to lie between any two messages.
    """

    each: timedelta = timedelta()
    all: timedelta = timedelta()


@runtime_checkable
class PacedChannel(Channel, Protocol):
    """A channel that takes only so much; all senders together keep its pace.

    Attributes:
        pace: How fast it takes messages.
    """

    pace: Pace


@runtime_checkable
class AmendingChannel(Channel, Protocol):
    """A channel whose messages can be changed after they were sent."""

    def amend(self, reference: str, message: Message) -> None:
        """Let a message that was sent say something else; doing so twice does no harm.

        Args:
            reference: The receipt's.
            message: What it is to say from now on.

        Raises:
            TemporaryFailure: A later try may succeed.
            PermanentFailure: The message is gone, or may not be changed any more.
        """


@runtime_checkable
class InstalledChannel(Channel, Protocol):
    """A channel that speaks through an app, and marks what it says with the ledger it is of.

    Attributes:
        origin: Returns what tells this ledger from any other; None while it is empty.
    """

    origin: Callable[[], str | None]

    def installation(self) -> tuple[str, str]:
        """Return the other side's ids of the app and of the workspace it is installed in.

        Raises:
            TemporaryFailure: The other side cannot be asked just now.
        """

    def told_by_others(
        self, people: Sequence[Addressee], ours: str | None, since: datetime
    ) -> Iterator[tuple[str, str, datetime]]:
        """Yield what was said through the same app for another ledger: its origin, whom, when.

        Args:
            people: Whose conversations are looked into.
            ours: The origin of this ledger.
            since: From when on (timezone-aware).

        Raises:
            TemporaryFailure: The other side cannot be asked just now.
        """


@runtime_checkable
class ConfirmingChannel(Channel, Protocol):
    """A channel that can say whether somebody it has told still is there to read."""

    def confirm(self, to: Addressee) -> None:
        """See that a person could be told something now; tell them nothing.

        Raises:
            PermanentFailure: They cannot; a message sent earlier will not be read either.
            TemporaryFailure: The other side cannot be asked just now.
        """


@runtime_checkable
class RecountingChannel(Channel, Protocol):
    """A channel that can say what stands with a person, whoever sent it there."""

    def recounted(self, to: Addressee, since: datetime) -> Iterator[str]:
        """Yield the delivery id of every message that a person was sent, as often as it stands.

        Args:
            to: The person.
            since: How far back (timezone-aware).

        Raises:
            ConnectorError: The other side cannot say.
        """
