"""What Slack sends when somebody presses a button or submits a form, read from its wire format.

Sources:
    https://docs.slack.dev/reference/interaction-payloads
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from connectors.slack.blocks import ANSWERS, delivery_of
from connectors.slack.forms import OVERRIDE_FORM, WrittenOverride, written_override


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed.

    Attributes:
        user: Slack's id of the person.
        click: Names this press; the same one sent twice has the same name.
        action: The button's ``action_id``.
        case: Key of the case the button stands for.
        reply_to: Where the person can be told what came of it.
        trigger: With which a form may be opened, once and within three seconds.
        reference: Where the message stands, as a receipt names it.
        delivery: The delivery id that the message carries, if Slack shows it.
    """

    user: str
    click: str
    action: str
    case: str
    reply_to: str
    trigger: str
    reference: str
    delivery: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was submitted.

    Attributes:
        user: Slack's id of the person.
        click: Names this submission; the same words in the same form have the same name.
        written: What was written.
    """

    user: str
    click: str
    written: WrittenOverride


def read_interaction(body: bytes) -> Press | Submission | None:
    """Return what a person did, or None for what asks nothing of us, such as a link followed.

    Raises:
        ValueError: It is not of the form in which Slack sends such things.
    """
    try:
        content = json.loads(parse_qs(body.decode())["payload"][0])
        if content["type"] == "block_actions":
            return _press(content, content["actions"][0])
        if content["type"] == "view_submission":
            return _submission(content, content["view"])
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the interaction cannot be read: {error!r}") from error
    return None


def _press(content: Mapping[str, Any], pressed: Mapping[str, Any]) -> Press | None:
    if pressed["action_id"] not in ANSWERS:
        return None
    user = str(content["user"]["id"])
    message = content["container"]["message_ts"]
    conversation = content["container"]["channel_id"]
    return Press(
        user=user,
        click=f"slack:{user}:{message}:{pressed['action_id']}:{pressed['action_ts']}",
        action=str(pressed["action_id"]),
        case=str(pressed["value"]),
        reply_to=str(content["response_url"]),
        trigger=str(content["trigger_id"]),
        reference=f"{conversation}/{message}",
        delivery=delivery_of(content.get("message") or {}),
    )


def _submission(content: Mapping[str, Any], view: Mapping[str, Any]) -> Submission | None:
    if view["callback_id"] != OVERRIDE_FORM:
        return None
    user, written = str(content["user"]["id"]), written_override(view)
    # Corrected after a refusal, the same form holds another answer.
    words = hashlib.sha256(f"{written.chosen}\n{written.note}".encode()).hexdigest()[:16]
    return Submission(user=user, click=f"slack:{user}:{view['id']}:{words}", written=written)
