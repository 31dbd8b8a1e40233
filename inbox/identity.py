"""Who reads and answers here.

Where people sign in, a signed session says who they are. In local mode nobody signs in: a cookie
remembers who a reader says they are, this machine alone is served, and every page says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response

from decisions.ownership import People

COOKIE: Final = "followthrough_person"
"""What a reader in local mode says they are."""
SESSION: Final = "followthrough_session"
"""The signed session of somebody who has signed in."""
LONGEST_SESSION: Final = timedelta(hours=12)
"""After a working day people sign in anew, so that a session that was stolen ends."""

_HALF_A_YEAR = 180 * 24 * 60 * 60
_PERSON, _SINCE = "person", "since"


@dataclass(frozen=True, slots=True)
class Reader:
    """The person in front of the page.

    Attributes:
        key: Key in ``people.yaml``.
        name: As written there.
        zone: IANA time zone that times are shown and read in.
    """

    key: str
    name: str
    zone: str


class Stranger(Exception):
    """Nobody knows who asks; they have to sign in first."""


@dataclass(frozen=True, slots=True)
class Visit:
    """How a reader came in, where it was not by the front door.

    Attributes:
        reader: Who they are, whatever a cookie says.
        via: What their answers are recorded as coming by.
        path: Where forms are sent to, instead of the case's own address.
    """

    reader: Reader
    via: str
    path: str


def visit(request: Request) -> Visit | None:
    """Return how the reader came in; None for the front door."""
    found: Visit | None = getattr(request.state, "visit", None)
    return found


def reader(request: Request, people: People, now: datetime, *, signs_in: bool) -> Reader | None:
    """Return who reads, or None while that is not known.

    Whoever has left, or is no longer in ``people.yaml``, is not known.

    Args:
        request: What is answered.
        people: Who there is.
        now: The present instant (timezone-aware).
        signs_in: Whether people have to sign in; else what they say of themselves counts.
    """
    if (by_another_door := visit(request)) is not None:
        return by_another_door.reader
    key = _signed_in(request.session, now) if signs_in else request.cookies.get(COOKIE, "")
    person = people.people.get(key)
    if person is None or people.has_left(key, now):
        return None
    return Reader(key, person.name, person.zone)


def _signed_in(session: Mapping[str, Any], now: datetime) -> str:
    since = session.get(_SINCE)
    if not isinstance(since, int):
        return ""
    began_at = datetime.fromtimestamp(since, UTC)
    return str(session.get(_PERSON, "")) if now - began_at < LONGEST_SESSION else ""


def begin_session(request: Request, key: str, now: datetime) -> None:
    """Begin a session for somebody who has proven who they are.

    Nothing of what the browser brought along survives, so that nobody can have planted it.
    """
    request.session.clear()
    request.session.update({_PERSON: key, _SINCE: int(now.timestamp())})


def remember(response: Response, key: str, *, secure: bool) -> None:
    """Have the browser remember who the reader says they are.

    Args:
        response: What the browser is answered with.
        key: The person's key.
        secure: Whether the inbox is reached over HTTPS alone.
    """
    response.set_cookie(
        COOKIE, key, max_age=_HALF_A_YEAR, httponly=True, samesite="strict", secure=secure
    )


def person_claimed(
    claims: Mapping[str, Any], people: People, *, email_claim: str, may_be_unverified: bool
) -> str | None:
    """Return the key of the person an identity provider vouches for, or None if we know nobody.

    By Slack's member id where it tells one, else by e-mail address, which two people must not
    share.

    Args:
        claims: What the provider says of whoever signed in.
        people: Who there is.
        email_claim: The claim that holds the address.
        may_be_unverified: Whether an address counts that the provider does not call verified.
    """
    if member := claims.get("https://slack.com/user_id"):
        by_id = [key for key, person in people.people.items() if person.slack == member]
        if by_id:
            return by_id[0]
    email = str(claims.get(email_claim) or "").casefold()
    if not email or not (may_be_unverified or claims.get("email_verified") is True):
        return None
    found = [key for key, person in people.people.items() if person.email.casefold() == email]
    return found[0] if len(found) == 1 else None


def local_path(text: str) -> str:
    """Return the path and query to go back to, or the queue if the text would lead elsewhere."""
    if not text.startswith("/") or text[1:2] in {"/", "\\"} or not text.isprintable():
        return "/"
    parts = urlsplit(text)
    return urlunsplit(("", "", parts.path, parts.query, ""))
