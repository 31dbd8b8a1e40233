"""What an e-mail connection is told in ``connections.yaml``."""

from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PORTS = {"smtp": 587, "smtps": 465}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class MailConfig(BaseModel):
    """One SMTP server that takes our mail.

    Attributes:
        url: Where it is and who we are there. ``smtps`` speaks TLS from the first byte; ``smtp``
            asks for it before anything else, except of this machine.
        sender: Whom people see it come from.
    """

    # A password must not be quoted back when another key of the same connection is wrong.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr = Field(description="The server, as ${MAIL_URL}: smtps://user:password@host.")
    sender: str = Field(description="Whom it comes from: Followthrough <desk@larkfield.example>.")

    @field_validator("sender")
    @classmethod
    def _holds_an_address(cls, sender: str) -> str:
        _, address = parseaddr(sender)
        if "${" not in sender and not all(address.partition("@")):
            raise ValueError("it holds no address; write 'Followthrough <desk@larkfield.example>'")
        return sender


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server's address, taken apart.

    Attributes:
        host: Its name.
        port: Its port.
        user: Who we are there; empty where it asks nobody.
        password: What proves it.
        speaks_tls: Whether it speaks TLS from the first byte.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    speaks_tls: bool = False

    @property
    def wants_tls(self) -> bool:
        """Whether nothing may be said before it speaks TLS."""
        return not self.speaks_tls and self.host not in _THIS_MACHINE

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Read an address such as ``smtps://user:password@host:465``.

        Raises:
            ValueError: It is of another form; the text repeats none of it.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise ValueError("its url is not of the form smtps://user:password@host") from None
        if not parts.hostname:
            raise ValueError("its url names no host; write smtps://user:password@host")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, user, password, parts.scheme == "smtps")
