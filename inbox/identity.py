"""Who reads and answers here.

In local mode nobody signs in: a cookie remembers who a reader says they are. Every page says so.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response

from decisions.ownership import People

COOKIE: Final = "followthrough_person"
_HALF_A_YEAR = 180 * 24 * 60 * 60


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


def reader(request: Request, people: People) -> Reader | None:
    """Return who the reader says they are, or None while they have not said.

    A name that has left ``people.yaml`` counts as not said.
    """
    if (by_another_door := visit(request)) is not None:
        return by_another_door.reader
    key = request.cookies.get(COOKIE, "")
    person = people.people.get(key)
    return Reader(key, person.name, person.zone) if person else None


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


def local_path(text: str) -> str:
    """Return the path and query to go back to, or the queue if the text would lead elsewhere."""
    if not text.startswith("/") or text[1:2] in {"/", "\\"} or not text.isprintable():
        return "/"
    parts = urlsplit(text)
    return urlunsplit(("", "", parts.path, parts.query, ""))
