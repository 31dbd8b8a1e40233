"""What Slack sends when somebody presses a button or submits a form, and how it signs it."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from connectors.testing.team import APP, TEAM, Form, Posted

_PRESSED = ("type", "action_id", "text", "value", "url")


def press(
    message: Posted, action: str, by: str, *, trigger: str, reply_to: str, at: str
) -> dict[str, Any]:
    """Return what Slack sends for a press.

    Args:
        message: The message the button stands on.
        action: The button's ``action_id``.
        by: Id of the person who presses.
        trigger: A fresh ``trigger_id``.
        reply_to: A fresh ``response_url``.
        at: The instant, as Slack writes it.

    Raises:
        LookupError: The message has no such button.
    """
    if action not in message.buttons:
        there = ", ".join(message.buttons) or "no buttons"
        raise LookupError(f"there is no button {action!r}; the message has {there}")
    button = message.buttons[action]
    pressed = {key: button[key] for key in _PRESSED if key in button}
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "api_app_id": APP,
        "user": {"id": by, "team_id": TEAM},
        "container": {
            "type": "message",
            "channel_id": message.channel,
            "message_ts": message.ts,
            "is_ephemeral": False,
        },
        "channel": {"id": message.channel, "name": "directmessage"},
        "message": message.shown(),
        "trigger_id": trigger,
        "response_url": reply_to,
        "actions": [{**pressed, "action_ts": at}],
    }


def submission(form: Form, values: Mapping[str, str], *, trigger: str) -> dict[str, Any]:
    """Return what Slack sends for a form.

    Args:
        form: The form.
        values: By ``block_id``: what is typed, or the text of the option that is chosen.
        trigger: A fresh ``trigger_id``.

    Raises:
        LookupError: The form offers no such option.
    """
    state = {
        block["block_id"]: {
            block["element"]["action_id"]: _filled(block["element"], values.get(block["block_id"]))
        }
        for block in form.view["blocks"]
        if block["type"] == "input"
    }
    return {
        "type": "view_submission",
        "team": {"id": TEAM},
        "api_app_id": APP,
        "user": {"id": form.user, "team_id": TEAM},
        "trigger_id": trigger,
        "view": {"id": form.id, **form.view, "state": {"values": state}},
        "response_urls": [],
    }


def signature(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers by which the app knows that Slack sent the body.

    Sources:
        https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    signed = b"v0:%d:%s" % (timestamp, body)
    mac = hmac.new(secret.encode(), signed, sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={mac}"}


def _filled(element: Mapping[str, Any], value: str | None) -> dict[str, Any]:
    kind = element["type"]
    if kind != "static_select":
        return {"type": kind, "value": value}
    if value is None:
        return {"type": kind, "selected_option": None}
    for option in element["options"]:
        if option["text"]["text"] == value:
            return {"type": kind, "selected_option": option}
    offered = ", ".join(repr(option["text"]["text"]) for option in element["options"])
    raise LookupError(f"the form offers no {value!r}; it offers {offered}")
