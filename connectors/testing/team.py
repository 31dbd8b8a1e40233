"""The state of a pretended Slack workspace: people, channels, messages, forms, homes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.slack.blocks import delivery_of
from decisions.ports import Clock

Json = dict[str, Any]

TEAM, APP, BOT = "T0LARKFIELD", "A0FOLLOW", "U0BOT"
TRIGGER_LIFE = timedelta(seconds=3)
REPLY_LIFE, REPLY_USES = timedelta(minutes=30), 5


class Refusal(Exception):
    """What Slack answers in place of ``ok``."""

    def __init__(self, code: str, **details: object) -> None:
        self.content = {"ok": False, "error": code, **details}
        super().__init__(code)


@dataclass(slots=True)
class Member:
    """A person, or a bot, of the workspace."""

    id: str
    name: str
    email: str
    zone: str
    deleted: bool = False
    is_bot: bool = False

    def shown(self) -> Json:
        """Return the person as Slack's API shows them."""
        return {
            "id": self.id,
            "team_id": TEAM,
            "name": self.name,
            "deleted": self.deleted,
            "is_bot": self.is_bot,
            "tz": self.zone,
            "profile": {"email": self.email, "real_name": self.name},
        }


@dataclass(slots=True)
class Place:
    """A channel of the workspace.

    Attributes:
        members: Ids of who is in it; the app is, if ``BOT`` is among them.
    """

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass(slots=True)
class Posted:
    """A message as it stands in the conversation now.

    Attributes:
        to: Id of the person whose direct messages hold it, or of the channel.
        private: Whether it is ephemeral, and so in no history.
        deleted: Whether somebody took it away since.
        app: Id of the app that posted it.
    """

    channel: str
    ts: str
    to: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    private: bool = False
    deleted: bool = False
    app: str = APP

    @property
    def buttons(self) -> dict[str, Json]:
        """Its buttons by ``action_id``, in order."""
        return {button["action_id"]: button for _, button in pressable(self.blocks)}

    @property
    def key(self) -> str | None:
        """The delivery id that it carries."""
        found = (self.metadata.get("event_payload") or {}).get("key")
        return found or delivery_of({"blocks": self.blocks})

    def shown(self, *, with_metadata: bool = True) -> Json:
        """Return the message as Slack's history shows it."""
        about = {"metadata": self.metadata} if with_metadata and self.metadata else {}
        return {
            "type": "message",
            "user": BOT,
            "bot_id": "B0FOLLOW",
            "app_id": self.app,
            "ts": self.ts,
            "text": self.text,
            "blocks": self.blocks,
            **about,
        }


@dataclass(slots=True)
class Form:
    """A form that was opened before somebody, or their Home.

    Attributes:
        errors: What the app found wrong with the last submission, by ``block_id``.
        written: What was typed or picked in it, by ``block_id``; a form with errors keeps it.
        closed: Whether a submission was taken.
    """

    id: str
    user: str
    view: Json
    errors: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    closed: bool = False


class SlackTeam:
    """People, channels, messages, forms and homes of one workspace, with one app installed.

    Attributes:
        id: The workspace's id.
        app: The app's id.

    Args:
        clock: The present instant.
        team: The workspace's id.
        app: The app's id.
    """

    def __init__(self, clock: Clock, *, team: str = TEAM, app: str = APP) -> None:
        self.clock = clock
        self.id = team
        self.app = app
        self.members: dict[str, Member] = {}
        self.places: dict[str, Place] = {}
        self.messages: list[Posted] = []
        self.forms: list[Form] = []
        self.homes: dict[str, Form] = {}
        self._triggers: dict[str, tuple[datetime, str]] = {}
        self._replies: dict[str, tuple[datetime, str, int]] = {}
        self._numbers = itertools.count(1)
        self._last_ts = 0

    def new_number(self) -> int:
        """Return a number that was not given before."""
        return next(self._numbers)

    def new_trigger(self, user: str) -> str:
        """Return a ``trigger_id`` for a press by this person."""
        trigger = f"{self.new_number()}.{self.id}"
        self._triggers[trigger] = self.clock(), user
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """Return whose press it is; good once, for three seconds.

        Raises:
            Refusal: It is too old, or was used.
        """
        made_at, user = self._triggers.get(trigger, (None, ""))
        if made_at is None or self.clock() - made_at > TRIGGER_LIFE:
            raise Refusal("expired_trigger_id")
        if not user:
            raise Refusal("exchanged_trigger_id")
        self._triggers[trigger] = made_at, ""
        return user

    def new_reply_address(self, user: str) -> str:
        """Return the last part of a ``response_url`` for a press by this person."""
        address = f"{self.id}/{self.new_number()}"
        self._replies[address] = self.clock(), user, REPLY_USES
        return address

    def reply(self, address: str, content: Json) -> bool:
        """Take a private reply; False when its address is unknown, too old or used up."""
        made_at, user, uses = self._replies.get(address, (self.clock(), "", 0))
        if not uses or self.clock() - made_at > REPLY_LIFE:
            return False
        self._replies[address] = made_at, user, uses - 1
        self.post(user, content, private=content.get("response_type") != "in_channel")
        return True

    def new_ts(self) -> str:
        """Return the present instant as Slack writes it, later than any before."""
        self._last_ts = max(self._last_ts + 1, int(self.clock().timestamp() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(self, to: str, content: Json, *, private: bool = False) -> Posted:
        """Put a message of the app's before a person or into a channel, unchecked."""
        posted = Posted(
            channel=to if to in self.places else conversation(to),
            ts=self.new_ts(),
            to=to,
            text=content.get("text") or "",
            blocks=list(content.get("blocks") or []),
            metadata=content.get("metadata") or {},
            private=private,
            app=self.app,
        )
        self.messages.append(posted)
        return posted

    def message(self, channel: object, ts: object) -> Posted:
        """Return the message that stands there.

        Raises:
            Refusal: None does, or not any more.
        """
        for message in self.messages:
            if (message.channel, message.ts) == (channel, ts) and not message.private:
                if message.deleted:
                    break
                return message
        raise Refusal("message_not_found")

    def opened(self, user: str, view: Json) -> Form:
        """Open a form before a person."""
        form = Form(f"V{self.new_number():06d}", user, view)
        self.forms.append(form)
        return form

    def member(self, user: object, otherwise: str = "user_not_found") -> Member:
        """Return the person.

        Raises:
            Refusal: There is nobody of that id.
        """
        if user not in self.members:
            raise Refusal(otherwise)
        return self.members[str(user)]

    def destination(self, channel: object) -> Member | Place:
        """Return what a message's ``channel`` means.

        Raises:
            Refusal: Nothing, to this app.
        """
        if channel in self.places:
            place = self.places[str(channel)]
            if place.archived:
                raise Refusal("is_archived")
            if BOT not in place.members:
                raise Refusal("not_in_channel")
            return place
        for member in self.members.values():
            if channel in {member.id, conversation(member.id)}:
                return member
        raise Refusal("channel_not_found")


def conversation(user: str) -> str:
    """Return the id of the app's direct messages with this person."""
    return "D" + user[1:]


def pressable(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """Return every button with the block it stands in, in order."""
    found = []
    for block in blocks:
        if block["type"] == "actions":
            found += [(block, element) for element in block["elements"]]
        elif (block.get("accessory") or {}).get("type") == "button":
            found.append((block, block["accessory"]))
    return found
