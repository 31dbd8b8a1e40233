"""What Slack sends when somebody does something, and how it signs it.

Sources:
    https://docs.slack.dev/reference/interaction-payloads
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from connectors.testing.methods import view_of
from connectors.testing.team import Form, Posted, SlackTeam, pressable

_PRESSED = ("type", "action_id", "text", "value", "url")
_PICKED = {
    "users_select": ("selected_user", "initial_user"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
"""By element: the key of what is chosen, and of what is chosen beforehand."""

Json = dict[str, Any]


def press(team: SlackTeam, message: Posted, action: str, by: str, *, reply_to: str) -> Json:
    """Return what Slack sends for a press on a message.

    Args:
        team: The workspace.
        message: The message the button stands on.
        action: The button's ``action_id``.
        by: Id of the person who presses.
        reply_to: A fresh ``response_url``.

    Raises:
        LookupError: The message has no such button.
    """
    content = _pressed(team, message.blocks, action, by, value=None)
    place = {"type": "message", "channel_id": message.channel, "message_ts": message.ts}
    return content | {
        "container": {**place, "is_ephemeral": False},
        "channel": {"id": message.channel, "name": "directmessage"},
        "message": message.shown(),
        "response_url": reply_to,
    }


def home_press(team: SlackTeam, home: Form, action: str, value: str | None) -> Json:
    """Return what Slack sends for a press on a person's Home.

    Args:
        team: The workspace.
        home: The Home.
        action: The button's ``action_id``.
        value: The button's value, where several have the same ``action_id``.

    Raises:
        LookupError: The Home has no such button.
    """
    content = _pressed(team, home.view["blocks"], action, home.user, value=value)
    view = {**view_of(home), "state": {"values": {}}}
    return content | {"container": {"type": "view", "view_id": home.id}, "view": view}


def submission(team: SlackTeam, form: Form, values: Mapping[str, Any]) -> Json:
    """Return what Slack sends for a form.

    Args:
        team: The workspace.
        form: The form.
        values: By ``block_id``: what is typed or picked, or the text of the option chosen.

    Raises:
        LookupError: The form offers no such option.
    """
    state = {
        block["block_id"]: {
            block["element"]["action_id"]: _filled(block["element"], values, block["block_id"])
        }
        for block in form.view["blocks"]
        if block["type"] == "input"
    }
    return _from(team, "view_submission", form.user) | {
        "trigger_id": team.new_trigger(form.user),
        "view": {**view_of(form), "state": {"values": state}},
        "response_urls": [],
    }


def event(team: SlackTeam, about: Mapping[str, Any]) -> Json:
    """Return what Slack's Events API sends of an event."""
    number = team.new_number()
    return {
        "type": "event_callback",
        "token": "deprecated",
        "team_id": team.id,
        "api_app_id": team.app,
        "event": {**about, "event_ts": team.new_ts()},
        "event_id": f"Ev{number:08d}",
        "event_time": int(team.clock().timestamp()),
    }


def signature(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers by which the app knows that Slack sent the body.

    Sources:
        https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    signed = b"v0:%d:%s" % (timestamp, body)
    mac = hmac.new(secret.encode(), signed, sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={mac}"}


def _from(team: SlackTeam, kind: str, user: str) -> Json:
    return {
        "type": kind,
        "team": {"id": team.id},
        "api_app_id": team.app,
        "user": {"id": user, "team_id": team.id},
    }


def _pressed(
    team: SlackTeam, blocks: list[Json], action: str, by: str, *, value: str | None
) -> Json:
    there = pressable(blocks)
    found = [
        (block, button)
        for block, button in there
        if button["action_id"] == action and value in {None, button.get("value")}
    ]
    if not found:
        names = dict.fromkeys(str(button["action_id"]) for _, button in there)
        offered = ", ".join(names) or "no buttons"
        raise LookupError(f"there is no button {action!r}; there are {offered}")
    block, button = found[0]
    pressed = {key: button[key] for key in _PRESSED if key in button}
    about = {"block_id": block.get("block_id", ""), "action_ts": team.new_ts()}
    return _from(team, "block_actions", by) | {
        "trigger_id": team.new_trigger(by),
        "actions": [pressed | about],
    }


def _filled(element: Mapping[str, Any], values: Mapping[str, Any], name: str) -> Json:
    kind = element["type"]
    if kind in _PICKED:
        chosen, beforehand = _PICKED[kind]
        return {"type": kind, chosen: values.get(name, element.get(beforehand))}
    if kind == "plain_text_input":
        return {"type": kind, "value": values.get(name, element.get("initial_value"))}
    if name not in values:
        return {"type": kind, "selected_option": element.get("initial_option")}
    for option in element["options"]:
        if option["text"]["text"] == values[name]:
            return {"type": kind, "selected_option": option}
    offered = ", ".join(repr(option["text"]["text"]) for option in element["options"])
    raise LookupError(f"the form offers no {values[name]!r}; it offers {offered}")
