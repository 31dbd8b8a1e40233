"""E-mail handed to one SMTP server, step by step, so that each end is known for what it is.

Apprise, which can mail too, says of every failure only that it was one; whether a second try may
tell somebody twice could not be known. So the standard library's client is used here.
"""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from socket import gaierror
from time import monotonic
from typing import Self

from connectors.mail.config import Server
from connectors.mail.letter import letter, message_id
from decisions.errors import (
    ConnectorError,
    OutOfOrder,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ports import Addressee, Clock, Condition, Finding, Message, Receipt, wall_clock

REPAIR_WAIT = timedelta(minutes=5)
_FAILURES = (smtplib.SMTPException, OSError, ValueError)
"""Everything the client is known to raise; the last for an answer that is no SMTP."""


def _reason(failure: Exception) -> str:
    """Return why there was no answer, in words; what a server wrote is not repeated."""
    match failure:
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError():
            return "it took too long"
        case gaierror():
            return "its name is not known"
        case OSError() if failure.strerror and not isinstance(failure, smtplib.SMTPException):
            return failure.strerror.lower()
    return "the connection was lost, or it speaks no SMTP"


class MailChannel:
    """Tells people by e-mail; see ``decisions.ports.Channel``.

    Whether a server has taken a letter whose fate is unknown cannot be asked of SMTP, so ``find``
    says so and the ledger sends it again, marked as a repeat and with the same Message-ID. What
    was mailed cannot be changed either: this is no ``AmendingChannel``.

    Attributes:
        name: The connection's name in ``connections.yaml``.
        budget: How long one letter may take from connecting to the server's last word.
    """

    budget = timedelta(seconds=25)

    def __init__(self, name: str, url: str, sender: str, *, clock: Clock = wall_clock) -> None:
        self.name = name
        self._clock = clock
        self._sender = sender
        _, self._from = parseaddr(sender)
        try:
            self._server = Server.parse(url)
        except ValueError as fault:
            raise PermanentFailure(str(fault), connector=name) from None

    def __repr__(self) -> str:
        return f"MailChannel({self.name!r})"

    def deliver(self, message: Message) -> Receipt:
        """Hand the letter to the server, once; see ``Channel.deliver``."""
        written = letter(message, sender=self._sender, at=self._clock())
        with _Conversation(self.name, self._server, self.budget) as conversation:
            conversation.open()
            conversation.name(self._from, message.to, written)
            conversation.hand_over(written)
        return Receipt(reference=self._reference(message), accepted_at=self._clock())

    def find(self, message: Message) -> Receipt | None:
        """Say that nobody can be asked; see ``Channel.find``."""
        text = f"whether the letter to {message.to.person} was taken cannot be asked of e-mail"
        raise UnknownOutcome(text, connector=self.name)

    def examined(self, people: Sequence[Addressee]) -> Iterator[Finding]:  # noqa: ARG002  the port's signature
        """Sign in at the server and mail nothing; see ``Examinable.examined``."""
        about = f"{self.name}: server"
        try:
            with _Conversation(self.name, self._server, self.budget) as conversation:
                conversation.open()
        except ConnectorError as failure:
            told = str(failure).removeprefix(f"{self.name}: ")
            yield Finding(about=about, condition=Condition.AWAY, found=told)
            return
        where = f"{self._server.host}:{self._server.port}"
        yield Finding(about=about, found=f"{where} takes mail from {self._from}")

    def _reference(self, message: Message) -> str:
        return message_id(message, self._from.rpartition("@")[2])


class _Conversation:
    """One connection to the server, over within a budget of time."""

    def __init__(self, connector: str, server: Server, budget: timedelta) -> None:
        self._connector = connector
        self._server = server
        self._ends_at = monotonic() + budget.total_seconds()
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._client is not None:
            # Not a polite QUIT: once the letter is taken, nothing may turn that into a failure.
            self._client.close()

    def open(self) -> None:
        """Connect, secure the connection and sign in.

        Raises:
            OutOfOrder: We are not let in until somebody mends it.
            TemporaryFailure: Nothing was said yet.
        """
        try:
            self._connect()
        except smtplib.SMTPAuthenticationError as refusal:
            text = f"the server does not let us in ({refusal.smtp_code}); mend its url"
            raise self._out_of_order(text) from None
        except smtplib.SMTPNotSupportedError:
            text = "the server offers no TLS or no sign-in; use smtps, or mend its url"
            raise self._out_of_order(text) from None
        except ssl.SSLCertVerificationError as doubt:
            text = f"the server's certificate is not good ({doubt.verify_message})"
            raise self._out_of_order(text) from None
        except _FAILURES as failure:
            raise self._unheard(_reason(failure)) from None

    def name(self, sender: str, to: Addressee, written: EmailMessage) -> None:
        """Say from whom and to whom the letter is.

        Raises:
            PermanentFailure: The server refuses the person's address.
            OutOfOrder: It refuses us.
            TemporaryFailure: It refuses for now.
        """
        options = () if written.policy is SMTP else ("SMTPUTF8", "BODY=8BITMIME")
        if options and not self._open.has_extn("smtputf8"):
            text = f"the server takes no address like {to.person}'s; give another in people.yaml"
            raise PermanentFailure(text, connector=self._connector)
        try:
            code, _ = self._step().mail(sender, options)
            self._taken(code, f"mail from {sender}", is_ours=True)
            code, _ = self._step().rcpt(to.email)
            self._taken(code, f"mail to {to.person}")
        except _FAILURES as failure:
            raise self._unheard(_reason(failure)) from None

    def hand_over(self, written: EmailMessage) -> None:
        """Hand over the letter itself.

        Raises:
            PermanentFailure: The server refuses it.
            TemporaryFailure: It refuses for now.
            UnknownOutcome: It did not say whether it took it.
        """
        try:
            code, _ = self._step().data(written.as_bytes())
        except smtplib.SMTPDataError as refusal:
            code = refusal.smtp_code
        except _FAILURES as failure:
            found = _reason(failure)
            text = f"the server did not say whether it took the letter ({found}); it may have"
            raise UnknownOutcome(text, connector=self._connector) from None
        self._taken(code, "the letter")

    def _connect(self) -> None:
        server, context = self._server, ssl.create_default_context()
        where, left = (server.host, server.port), self._left()
        if server.speaks_tls:
            self._client = smtplib.SMTP_SSL(*where, timeout=left, context=context)
        else:
            self._client = smtplib.SMTP(*where, timeout=left)
        self._step().ehlo()
        if server.wants_tls:
            self._step().starttls(context=context)
            self._step().ehlo()
        if server.user:
            self._step().login(server.user, server.password)

    @property
    def _open(self) -> smtplib.SMTP:
        if self._client is None:
            raise smtplib.SMTPServerDisconnected("not connected yet")
        return self._client

    def _step(self) -> smtplib.SMTP:
        """Return the client, with no more time for its next step than is left."""
        if self._open.sock is not None:
            self._open.sock.settimeout(self._left())
        return self._open

    def _left(self) -> float:
        """Return the seconds that are left, at least a little: a socket takes no 0."""
        return max(self._ends_at - monotonic(), 0.05)

    def _taken(self, code: int, about: str, *, is_ours: bool = False) -> None:
        """See that the server has agreed.

        Args:
            code: Its answer.
            about: To what.
            is_ours: Whether a refusal is for somebody here to mend, and not for good.
        """
        if 200 <= code < 300:
            return
        found = f"{about} was refused with {code}"
        if code < 500:
            raise self._temporary(f"{found}; it is tried again")
        if is_ours:
            raise self._out_of_order(f"{found}; mend the sender in connections.yaml")
        text = f"{found}; check the address in people.yaml"
        raise PermanentFailure(text, connector=self._connector)

    def _unheard(self, found: str) -> TemporaryFailure:
        return self._temporary(f"the server did not answer ({found}); it is tried again")

    def _temporary(self, text: str) -> TemporaryFailure:
        return TemporaryFailure(text, connector=self._connector)

    def _out_of_order(self, text: str) -> OutOfOrder:
        return OutOfOrder(text, connector=self._connector, retry_after=REPAIR_WAIT)
