"""Messages posted to another system, signed, once a try; the system tells the person."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx

from connectors.webhook.config import checked
from connectors.webhook.deadline import Deadline
from connectors.webhook.signing import Secrets
from decisions.errors import (
    ConnectorError,
    OutOfOrder,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ports import Clock, Message, Receipt, wall_clock

REPAIR_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
"""The longest that a receiver can have us wait."""

_LATER = frozenset({408, 425, 429})
_FOR_REPAIR = frozenset({401, 403, 404, 405, 407})
"""What says that the receiver is not there yet, or does not know us: for somebody to mend."""
_TYPE = "followthrough.message"


class WebhookChannel:
    """Tells people through another system; see ``decisions.ports.Channel``.

    Every try bears the same ``webhook-id``, made of the delivery id, by which the receiver drops
    a repeat. So a try whose outcome is unknown may be made again as it is.

    Attributes:
        name: The connection's name in ``connections.yaml``.
        timeout: How long the receiver may take for each of connecting and answering.
        budget: How long one try may take in all, however slowly an answer drips in.
    """

    timeout = timedelta(seconds=10)
    budget = timedelta(seconds=20)

    def __init__(self, name: str, url: str, secret: str, *, clock: Clock = wall_clock) -> None:
        self.name = name
        self._clock = clock
        try:
            self._url, self._secrets = checked(url), Secrets(secret)
        except ValueError as fault:
            raise PermanentFailure(str(fault), connector=name) from None

    def __repr__(self) -> str:
        return f"WebhookChannel({self.name!r})"

    def deliver(self, message: Message) -> Receipt:
        """Post the message, once; see ``Channel.deliver``.

        No redirect is followed: it would lead to an address that nobody here has written down.
        """
        now, id_ = self._clock(), webhook_id(message)
        body = payload(message, at=now)
        headers = {"content-type": "application/json"} | self._secrets.headers(
            body, id_=id_, at=now
        )
        seconds = self.timeout.total_seconds()
        try:
            with (
                Deadline(self.budget) as deadline,
                httpx.Client(timeout=seconds, follow_redirects=False) as client,
                client.stream(
                    "POST",
                    self._url,
                    content=body,
                    headers=headers,
                    extensions={"trace": deadline.watch},
                ) as answer,
            ):
                status, asked_wait = answer.status_code, answer.headers.get("retry-after", "")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as failure:
            found = f"the receiver cannot be reached ({type(failure).__name__}); it is tried again"
            raise TemporaryFailure(found, connector=self.name) from None
        except httpx.HTTPError as failure:
            raise self._unknown(f"no answer ({type(failure).__name__})") from None
        if not 200 <= status < 300:
            raise self._failure(status, asked_wait)
        return Receipt(reference=id_, accepted_at=self._clock())

    def find(self, message: Message) -> Receipt | None:  # noqa: ARG002  the port's signature
        """Return None: a receiver that has the message knows the next try for a repeat."""
        return None

    def _failure(self, status: int, asked_wait: str) -> ConnectorError:
        found = f"the receiver answered {status}"
        if status >= 500:
            return self._unknown(found)
        if status in _LATER:
            wait = min(timedelta(seconds=int(asked_wait)), LONGEST_WAIT) if (
                asked_wait.isascii() and asked_wait.isdigit() and len(asked_wait) < 9
            ) else None  # fmt: skip
            return TemporaryFailure(
                f"{found}; it asks to wait", connector=self.name, retry_after=wait
            )
        if status in _FOR_REPAIR:
            text = f"{found}; mend its url or its secret"
            return OutOfOrder(text, connector=self.name, retry_after=REPAIR_WAIT)
        return PermanentFailure(f"{found}; it does not take this message", connector=self.name)

    def _unknown(self, found: str) -> UnknownOutcome:
        text = f"{found}; it may have been taken, and is posted again under the same id"
        return UnknownOutcome(text, connector=self.name)


def webhook_id(message: Message) -> str:
    """Return the ``webhook-id`` of every try to hand the message over.

    A delivery id holds full stops, which the scheme keeps for itself.
    """
    return f"msg_{sha256(message.key.encode()).hexdigest()[:40]}"


def payload(message: Message, *, at: datetime) -> bytes:
    """Return what is posted for a message: type, timestamp and data, in JSON.

    Args:
        message: What to tell.
        at: When it is sent (timezone-aware).
    """
    said: dict[str, Any] = message.model_dump(mode="json", exclude={"key", "to"})
    said["delivery"] = message.key
    said["to"] = message.to.model_dump(include={"person", "name", "email", "zone"})
    said["answer_url"] = message.answer_url
    written = {"type": _TYPE, "timestamp": at.astimezone(UTC).isoformat(), "data": said}
    return json.dumps(written, ensure_ascii=True, sort_keys=True).encode()
