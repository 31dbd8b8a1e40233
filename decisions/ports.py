"""What the domain needs from outside: a clock, warehouses, channels.

A connector is written against this module and ``decisions.errors`` alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import sleep
from typing import Protocol, runtime_checkable

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field


class Clock(Protocol):
    """Where the present instant comes from."""

    def __call__(self) -> datetime:
        """Return the present instant (timezone-aware, UTC)."""


class MachineClock:
    """The clock of this machine, which may be wrong or set back: a ledger knows a better one.

    Args:
        read: What the machine says (timezone-aware); its own clock if left out.
    """

    def __init__(self, read: Clock | None = None) -> None:
        self._read = read or partial(datetime.now, UTC)

    def __call__(self) -> datetime:
        """Return what the machine says (timezone-aware, UTC)."""
        return self._read()


wall_clock = MachineClock()


@runtime_checkable
class Waiting(Clock, Protocol):
    """A clock by which waiting is no matter of sleeping: one that is moved, or stands still."""

    def wait(self, span: timedelta) -> None:
        """Let so much time pass."""


class StandingClock:
    """A clock that stands still but for the time that somebody waits by it.

    Args:
        at: Where it stands (timezone-aware).
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        """Return where it stands."""
        return self._at

    def wait(self, span: timedelta) -> None:
        """Sleep for so long, and move on by it."""
        sleep(max(0.0, span.total_seconds()))
        self._at += span


def let_pass(clock: Clock, span: timedelta) -> None:
    """Let so much time pass by a clock: by its own means, else by sleeping."""
    if isinstance(clock, Waiting):
        clock.wait(span)
    else:
        sleep(max(0.0, span.total_seconds()))


@runtime_checkable
class Warehouse(Protocol):
    """A database that answers SQL with Arrow; sources, context and probes are read through it.

    Attributes:
        name: The connection's name in ``connections.yaml``.
        dialect: The sqlglot dialect it speaks, such as ``duckdb``.
    """

    name: str
    dialect: str

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL, in this dialect, that can stand after FROM for the one that is given.

        Raises:
            PermanentFailure: The kind of source is one this warehouse cannot read.
        """

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return the relation's column names and their types, in the dialect's own words.

        Raises:
            PermanentFailure: The table or file does not exist, or may not be read.
            TemporaryFailure: The warehouse is away or locked.
        """

    def select(self, query: str) -> pa.Table:
        """Run one SELECT in the warehouse's dialect.

        Raises:
            PermanentFailure: The query cannot be answered as written.
            TemporaryFailure: The warehouse is away or locked.
        """


@runtime_checkable
class Embedded(Warehouse, Protocol):
    """A warehouse whose engine runs in this process, and so can write a file by itself."""

    def write(self, query: str, file: Path, *, beside: Mapping[str, pa.Table]) -> int:
        """Write the rows of one SELECT to a new Parquet file, in bounded memory.

        Args:
            query: The SELECT.
            file: Where to (absolute); its folder exists.
            beside: Tables that the query may name, beside those of the warehouse.

        Returns:
            How many rows there were.

        Raises:
            PermanentFailure: The query cannot be answered as written, or the file not be written.
            TemporaryFailure: The warehouse is away or locked.
        """


@runtime_checkable
class Stamped(Warehouse, Protocol):
    """A warehouse that may know of a file without reading it that it is as it was."""

    def stamp(self, path: str) -> str | None:
        """Return what is another text once the file may hold other rows.

        None where nothing cheap tells that for certain.
        """


class Kind(StrEnum):
    """Why a message is sent."""

    ASKED = "asked"
    """A case was opened, reassigned or woke up: the assignee is asked to act."""
    ESCALATED = "escalated"
    """Nobody answered in time: the next person on the policy hears of it."""
    REMINDED = "reminded"
    """It was acknowledged but not completed in time."""
    WITHHELD = "withheld"
    """Nothing was decided: the gate refused a batch, or subjects lie beyond the boundary."""
    WARNED = "warned"
    """A run went on, but its owners should know of something: drift, or money that runs out."""
    ALARMED = "alarmed"
    """Somebody cannot be told, or a channel is out of order: whoever keeps it running hears."""
    HALTED = "halted"
    """Somebody halted the decision: its other owners hear who and why."""
    REPORTED = "reported"
    """An effectiveness report was written: owners and their managers hear its verdict."""


class Frozen(BaseModel):
    """A value: strict about its keys, equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Addressee(Frozen):
    """Where one person can be reached, and the zone to show them times in.

    Attributes:
        person: Key in ``people.yaml``.
        zone: IANA time zone name.
    """

    person: str
    name: str
    email: str
    slack: str | None = None
    zone: str


class Fact(Frozen):
    """One labelled piece of evidence, already written out for a person (plain text)."""

    label: str
    text: str


class Message(Frozen):
    """What one person is told about one case (or one run), free of any channel's markup.

    All texts are plain; each channel escapes them for where they go.

    Attributes:
        key: Delivery id, unique in the ledger; a channel carries it so that a send whose
            outcome is unknown can be looked up.
        case: The case's key, such as ``CSC-2417``; None for messages about a run.
        lead: Why this person hears of it now, such as "Nobody has answered yet".
        title: The ask in one sentence.
        why: The rule's reason with the subject's figures.
        facts: Evidence to show, in the definition's order.
        owner: Name of the business owner accountable for the decision.
        answer_by: When an answer is due (timezone-aware), if one is asked for.
        acknowledged: Whether somebody has it already, so that nobody is asked to acknowledge.
        reasons: The reasons an override may give; empty when no answer is asked for.
        url: The case's page, if an inbox address is set.
        standing: How the case stands by now, once it has moved on since the message was sent; it
            takes the place of the deadline, and nobody is asked to acknowledge any more.
        answer_url: A link of this person's own to where they can answer, for channels without
            buttons. Whoever has it answers as them: it is never stored and never shown.
    """

    key: str
    kind: Kind
    to: Addressee
    decision: str
    case: str | None = None
    lead: str | None = None
    title: str
    why: str
    facts: tuple[Fact, ...] = ()
    owner: str
    answer_by: datetime | None = None
    acknowledged: bool = False
    reasons: tuple[str, ...] = ()
    url: str | None = None
    standing: str | None = None
    answer_url: str | None = Field(default=None, exclude=True, repr=False)


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


class Condition(StrEnum):
    """How something that was examined is."""

    FINE = "fine"
    DOUBTFUL = "doubtful"
    """It works, or cannot be told; somebody should know all the same."""
    FAULTY = "faulty"
    """It does not work until somebody mends it."""
    AWAY = "away"
    """The outside world did not answer; later it may."""


class Finding(Frozen):
    """One thing that was examined.

    Attributes:
        about: What was looked at, such as ``slack: permissions``.
        condition: How it is.
        found: What was found.
        advice: What to do, unless it is fine.
    """

    about: str
    condition: Condition = Condition.FINE
    found: str
    advice: str | None = None


@runtime_checkable
class Examinable(Protocol):
    """A connector that can say whether it would work, without telling anybody anything."""

    def examined(self, people: Sequence[Addressee]) -> Iterator[Finding]:
        """Yield what was looked at: access, permissions, whether people can be reached.

        Args:
            people: Whom it may have to reach.
        """
