"""Signatures by the Standard Webhooks scheme: made for what we send, checked on what we are sent.

Sources:
    https://www.standardwebhooks.com and the specification in standard-webhooks/standard-webhooks
"""

import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks.webhooks import Webhook

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

TOLERANCE: Final = timedelta(minutes=5)
"""How far the sender's clock and ours may be apart; older than that is a replay."""
SHORTEST_SECRET: Final = 24
"""Bytes, as the specification asks."""
_LONGEST_ID: Final = 200
_MOST_SIGNATURES: Final = 10


class Secrets:
    """What a webhook is signed with; several while one replaces another.

    Args:
        written: ``whsec_`` and base64; several separated by spaces, the newest first.

    Raises:
        ValueError: One is none, or too short; the text repeats none of it.
    """

    def __init__(self, written: str) -> None:
        self._keys = [_key(each) for each in written.split()]
        if not self._keys:
            raise ValueError("there is no secret; make one with `openssl rand -base64 32`")

    def __repr__(self) -> str:
        return f"Secrets({len(self._keys)})"

    def headers(self, body: bytes, *, id_: str, at: datetime) -> dict[str, str]:
        """Return the headers that prove a body to be ours, by every secret there is.

        Args:
            body: What is sent, in UTF-8.
            id_: Names what is sent, the same at every try; without a full stop.
            at: When it is sent (timezone-aware).
        """
        signed = [key.sign(id_, at.astimezone(UTC), body.decode()) for key in self._keys]
        return {ID: id_, TIMESTAMP: str(int(at.timestamp())), SIGNATURE: " ".join(signed)}

    def signed(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> str | None:
        """Return the id of what was sent; None unless one of the secrets signed it just now.

        Every request costs the same: all secrets are tried on whatever came, and what is missing
        counts as empty.

        Args:
            body: As it came, before anything is made of it.
            headers: As they came; names in lower case.
            now: The present instant (timezone-aware).
        """
        id_, claimed = headers.get(ID, ""), headers.get(SIGNATURE, "").split(" ")
        at = _instant(headers.get(TIMESTAMP, ""))
        try:
            text, is_text = body.decode(), True
        except UnicodeDecodeError:
            text, is_text = "", False
        is_signed = False
        for key in self._keys:
            ours = key.sign(id_, at or now.astimezone(UTC), text)
            for each in claimed[:_MOST_SIGNATURES]:
                is_signed |= hmac.compare_digest(ours.encode(), each.encode("utf-8", "replace"))
        is_now = at is not None and abs(now - at) <= TOLERANCE
        is_named = 0 < len(id_) <= _LONGEST_ID and "." not in id_ and id_.isprintable()
        return id_ if is_signed and is_now and is_text and is_named else None


def _key(written: str) -> Webhook:
    text = written.removeprefix("whsec_")
    try:
        raw = binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise ValueError("a secret is not of the form whsec_ and base64") from None
    if len(raw) < SHORTEST_SECRET:
        raise ValueError(f"a secret has fewer than {SHORTEST_SECRET} bytes; make one with "
                         "`openssl rand -base64 32`")  # fmt: skip
    return Webhook(raw)


def _instant(written: str) -> datetime | None:
    if not (written.isascii() and written.isdigit() and len(written) <= 11):
        return None
    return datetime.fromtimestamp(int(written), UTC)
