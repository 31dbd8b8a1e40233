"""Personal links in messages: each names one person and one case, for a while.

A link says who follows it and to where; following it changes nothing. Whether the person may
answer the case is asked of the desk once they do.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from decisions.errors import NotEntitled
from decisions.lifecycle import Move

SHORTEST_KEY: Final = 32
"""Characters of a signing key; a shorter one can be guessed."""

_LONGEST = 1_000
"""Characters of a token; ours are far shorter, and nothing longer is looked at."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a personal link says.

    Attributes:
        person: Key of the person it was sent to.
        case: Key of the case.
        expires_at: Until when it counts (timezone-aware).
        move: The answer it leads to; None where it leads to the case.
    """

    person: str
    case: str
    expires_at: datetime
    move: Move | None = None


class Links:
    """Signs links and reads them back.

    Args:
        key: The signing key; the same wherever messages are written and links are followed.

    Raises:
        ValueError: The key is too short.
    """

    def __init__(self, key: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a signing key has at least {SHORTEST_KEY} characters")
        self._serializer = URLSafeSerializer(
            key, salt="personal link", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def signed(self, link: Link) -> str:
        """Return the link as text that can stand in an address."""
        until = int(link.expires_at.timestamp())
        return str(self._serializer.dumps([link.person, link.case, until, link.move or ""]))

    def read(self, token: str, now: datetime) -> Link:
        """Return what a link says.

        Args:
            token: What ``signed`` returned.
            now: The present instant (timezone-aware).

        Raises:
            NotEntitled: It is none of ours, was changed, or its time is over.
        """
        try:
            said = self._serializer.loads(token[: _LONGEST + 1])
            person, case, until, move = said
            expires_at = datetime.fromtimestamp(until, UTC)
            link = Link(person, case, expires_at, Move(move) if move else None)
        except (BadData, TypeError, ValueError):
            raise NotEntitled(
                "this link is not whole; open the message once more, or the inbox"
            ) from None
        if now >= link.expires_at:
            raise NotEntitled(
                f"this link counted until {link.expires_at:%Y-%m-%d %H:%M} UTC; "
                "open the inbox instead"
            )
        return link
