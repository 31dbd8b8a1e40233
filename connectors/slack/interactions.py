"""What Slack sends when somebody does something, read from its wire format.

Sources:
    https://docs.slack.dev/reference/interaction-payloads
    https://docs.slack.dev/reference/events/app_home_opened
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs

from connectors.slack.blocks import ANSWERS, delivery_of
from connectors.slack.forms import FORMS, Written, written


@dataclass(frozen=True, slots=True)
class Identity:
    """Which app in which workspace.

    Attributes:
        app: Slack's id of the app.
        team: Slack's id of the workspace.
    """

    app: str
    team: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed.

    Attributes:
        user: Slack's id of the person.
        click: Names this press; the same one sent twice has the same name.
        action: The button's ``action_id``.
        case: Key of the case the button stands for.
        reply_to: Where the person can be told what came of it; empty for a press on the Home.
        trigger: With which a form may be opened, once and within three seconds.
        reference: Where the message stands, as a receipt names it; None for a press on the Home.
        delivery: The delivery id that the message carries, if Slack shows it.
        meant_for: The app it was sent to.
    """

    user: str
    click: str
    action: str
    case: str
    reply_to: str
    trigger: str
    reference: str | None
    delivery: str | None
    meant_for: Identity


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was submitted.

    Attributes:
        user: Slack's id of the person.
        click: Names this submission; the same words in the same form have the same name.
        written: What was written.
        meant_for: The app it was sent to.
    """

    user: str
    click: str
    written: Written
    meant_for: Identity


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody looks at the app's Home.

    Attributes:
        user: Slack's id of the person.
        meant_for: The app it was sent to.
    """

    user: str
    meant_for: Identity


@dataclass(frozen=True, slots=True)
class Challenge:
    """Slack asks whether the address for events is ours.

    Attributes:
        answer: What it wants to hear.
    """

    answer: str


Interaction = Press | Submission | None
Event = Visit | Challenge | None


def read_interaction(body: bytes) -> Interaction:
    """Return what a person did, or None for what asks nothing of us, such as a link followed.

    Raises:
        ValueError: It is not of the form in which Slack sends such things.
    """
    try:
        return interaction_in(json.loads(parse_qs(body.decode())["payload"][0]))
    except (LookupError, RecursionError) as error:
        raise ValueError(f"the interaction cannot be read: {error!r}") from error


def interaction_in(content: Any) -> Interaction:
    """Return what a person did, from the content of an interaction; see ``read_interaction``.

    Raises:
        ValueError: It is not of the form in which Slack sends such things.
    """
    try:
        if content["type"] == "block_actions":
            return _press(content, content["actions"][0])
        if content["type"] == "view_submission":
            return _submission(content, content["view"])
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the interaction cannot be read: {error!r}") from error
    return None


def read_event(body: bytes) -> Event:
    """Return what happened in the workspace, or None for what asks nothing of us.

    Raises:
        ValueError: It is not of the form in which Slack sends such things.
    """
    try:
        return event_in(json.loads(body.decode()))
    except RecursionError as error:
        raise ValueError("the event is nested too deeply") from error


def event_in(content: Any) -> Event:
    """Return what happened, from the content of an event; see ``read_event``.

    Raises:
        ValueError: It is not of the form in which Slack sends such things.
    """
    try:
        if content["type"] == "url_verification":
            return Challenge(str(content["challenge"]))
        event = content["event"]
        if (event["type"], event.get("tab")) != ("app_home_opened", "home"):
            return None
        meant_for = Identity(str(content["api_app_id"]), str(content["team_id"]))
        return Visit(str(event["user"]), meant_for)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the event cannot be read: {error!r}") from error


def _press(content: Mapping[str, Any], pressed: Mapping[str, Any]) -> Press | None:
    if pressed["action_id"] not in ANSWERS:
        return None
    user, container = str(content["user"]["id"]), content["container"]
    on_home = container["type"] == "view"
    place = container["view_id" if on_home else "message_ts"]
    case = str(pressed["value"])
    return Press(
        user=user,
        click=f"slack:{user}:{place}:{case}:{pressed['action_id']}:{pressed['action_ts']}",
        action=str(pressed["action_id"]),
        case=case,
        reply_to="" if on_home else str(content["response_url"]),
        trigger=str(content["trigger_id"]),
        reference=None if on_home else f"{container['channel_id']}/{place}",
        delivery=delivery_of(content.get("message") or {}),
        meant_for=_meant_for(content),
    )


def _submission(content: Mapping[str, Any], view: Mapping[str, Any]) -> Submission | None:
    if view["callback_id"] not in FORMS:
        return None
    user, said = str(content["user"]["id"]), written(view)
    # Corrected after a refusal, the same form holds another answer.
    words = json.dumps(asdict(said), default=str, sort_keys=True)
    name = hashlib.sha256(words.encode()).hexdigest()[:16]
    click = f"slack:{user}:{view['id']}:{name}"
    return Submission(user=user, click=click, written=said, meant_for=_meant_for(content))


def _meant_for(content: Mapping[str, Any]) -> Identity:
    team = content.get("team") or {"id": content["user"]["team_id"]}
    return Identity(str(content["api_app_id"]), str(team["id"]))
