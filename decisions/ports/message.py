"""What a person is told, and why; free of any channel's markup."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from decisions.ports.value import Frozen


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
