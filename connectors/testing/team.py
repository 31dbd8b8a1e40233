"""The state of a pretended Slack workspace, and its Web API as far as it is used here."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.slack.limits import BEST_TEXT, message_breaches, view_breaches
from decisions.ports import Clock

Json = dict[str, Any]

SCOPES: Mapping[str, str | None] = {
    "auth.test": None,
    "users.info": "users:read",
    "users.lookupByEmail": "users:read.email",
    "conversations.open": "im:write",
    "conversations.history": "im:history",
    "conversations.info": "im:read",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "views.open": None,
}
"""Every method that is answered, and the scope it needs."""

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
class Posted:
    """A message as it stands in the conversation now.

    Attributes:
        to: Id of the person whose direct messages hold it.
        private: Whether it is ephemeral, and so in no history.
    """

    channel: str
    ts: str
    to: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    private: bool = False

    @property
    def buttons(self) -> dict[str, Json]:
        """Its buttons by ``action_id``, in order."""
        rows = [block for block in self.blocks if block["type"] == "actions"]
        return {button["action_id"]: button for row in rows for button in row["elements"]}

    def shown(self, *, with_metadata: bool = True) -> Json:
        """Return the message as Slack's history shows it."""
        about = {"metadata": self.metadata} if with_metadata and self.metadata else {}
        return {
            "type": "message",
            "user": BOT,
            "bot_id": "B0FOLLOW",
            "app_id": APP,
            "ts": self.ts,
            "text": self.text,
            "blocks": self.blocks,
            **about,
        }


@dataclass(slots=True)
class Form:
    """A form that was opened before somebody.

    Attributes:
        errors: What the app found wrong with the last submission, by ``block_id``.
        closed: Whether a submission was taken.
    """

    id: str
    user: str
    view: Json
    errors: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False


class SlackTeam:
    """People, messages and forms; ``call`` answers the Web API."""

    def __init__(self, clock: Clock, scopes: frozenset[str]) -> None:
        self.clock = clock
        self.scopes = scopes
        self.members: dict[str, Member] = {}
        self.messages: list[Posted] = []
        self.forms: list[Form] = []
        self._triggers: dict[str, tuple[datetime, str]] = {}
        self._replies: dict[str, tuple[datetime, str, int]] = {}
        self._numbers = itertools.count(1)
        self._last_ts = 0
        self._methods: Mapping[str, Callable[[Json], Json]] = {
            "auth.test": self._auth_test,
            "users.info": self._users_info,
            "users.lookupByEmail": self._users_lookup,
            "conversations.open": self._conversations_open,
            "conversations.history": self._conversations_history,
            "conversations.info": self._conversations_info,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_private,
            "chat.update": self._update,
            "views.open": self._open_view,
        }

    def call(self, method: str, arguments: Json) -> Json:
        """Answer one method.

        Raises:
            Refusal: What Slack says instead of ``ok``.
        """
        if method not in self._methods:
            raise Refusal("unknown_method", req_method=method)
        scope = SCOPES[method]
        if scope and scope not in self.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
        return {"ok": True, **self._methods[method](arguments)}

    def new_trigger(self, user: str) -> str:
        """Return a ``trigger_id`` for a press by this person."""
        trigger = f"{next(self._numbers)}.{TEAM}"
        self._triggers[trigger] = self.clock(), user
        return trigger

    def new_reply_address(self, user: str) -> str:
        """Return the last part of a ``response_url`` for a press by this person."""
        address = f"{TEAM}/{next(self._numbers)}"
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
        """Put a message of the app's into a person's direct messages, unchecked."""
        posted = Posted(
            channel=conversation(to),
            ts=self.new_ts(),
            to=to,
            text=content.get("text") or "",
            blocks=list(content.get("blocks") or []),
            metadata=content.get("metadata") or {},
            private=private,
        )
        self.messages.append(posted)
        return posted

    def _auth_test(self, _arguments: Json) -> Json:
        return {"team": "Larkfield", "team_id": TEAM, "user_id": BOT, "bot_id": "B0FOLLOW"}

    def _users_info(self, arguments: Json) -> Json:
        return {"user": self._member(arguments.get("user"), "user_not_found").shown()}

    def _users_lookup(self, arguments: Json) -> Json:
        for member in self.members.values():
            # Slack does not find people by the e-mail of a closed account.
            if member.email == arguments.get("email") and not member.deleted:
                return {"user": member.shown()}
        raise Refusal("users_not_found")

    def _conversations_open(self, arguments: Json) -> Json:
        member = self._member(arguments.get("users"), "user_not_found")
        if member.deleted:
            raise Refusal("user_disabled")
        if member.is_bot:
            raise Refusal("cannot_dm_bot")
        return {"channel": {"id": conversation(member.id)}}

    def _conversations_info(self, arguments: Json) -> Json:
        member = self._recipient(arguments.get("channel"))
        return {"channel": {"id": conversation(member.id), "is_im": True, "is_archived": False}}

    def _conversations_history(self, arguments: Json) -> Json:
        recipient = self._recipient(arguments.get("channel"))
        if arguments.get("channel") != conversation(recipient.id):
            raise Refusal("channel_not_found")
        all_of_them = [m for m in self.messages if m.to == recipient.id and not m.private][::-1]
        start = int(arguments.get("cursor") or 0)
        end = start + min(int(arguments.get("limit") or 100), 999)
        with_metadata = str(arguments.get("include_all_metadata")).lower() in {"1", "true"}
        page = [m.shown(with_metadata=with_metadata) for m in all_of_them[start:end]]
        more = end < len(all_of_them)
        cursor = {"response_metadata": {"next_cursor": str(end)}} if more else {}
        return {"messages": page, "has_more": more, **cursor}

    def _post_message(self, arguments: Json) -> Json:
        member = self._recipient(arguments.get("channel"))
        if member.is_bot:
            raise Refusal("cannot_dm_bot")
        self._check(arguments)
        posted = self.post(member.id, arguments)
        return {"channel": posted.channel, "ts": posted.ts, "message": posted.shown()}

    def _post_private(self, arguments: Json) -> Json:
        member = self._member(arguments.get("user"), "user_not_in_channel")
        self._check(arguments)
        return {"message_ts": self.post(member.id, arguments, private=True).ts}

    def _update(self, arguments: Json) -> Json:
        place = arguments.get("channel"), arguments.get("ts")
        for message in self.messages:
            if (message.channel, message.ts) == place and not message.private:
                self._check(arguments, text_limit=BEST_TEXT)
                message.text = arguments.get("text") or ""
                message.blocks = list(arguments.get("blocks") or [])
                message.metadata = arguments.get("metadata") or message.metadata
                return {"channel": message.channel, "ts": message.ts, "text": message.text}
        raise Refusal("message_not_found")

    def _open_view(self, arguments: Json) -> Json:
        trigger = str(arguments.get("trigger_id"))
        made_at, user = self._triggers.get(trigger, (None, ""))
        if made_at is None or self.clock() - made_at > TRIGGER_LIFE:
            raise Refusal("expired_trigger_id")
        if not user:
            raise Refusal("exchanged_trigger_id")
        view = arguments.get("view") or {}
        if breaches := view_breaches(view):
            raise Refusal("invalid_arguments", response_metadata={"messages": breaches})
        self._triggers[trigger] = made_at, ""
        form = Form(f"V{next(self._numbers):06d}", user, view)
        self.forms.append(form)
        return {"view": {"id": form.id, **view}}

    def _check(self, arguments: Json, *, text_limit: int | None = None) -> None:
        if not arguments.get("text") and not arguments.get("blocks"):
            raise Refusal("no_text")
        if text_limit and len(arguments.get("text") or "") > text_limit:
            raise Refusal("msg_too_long")
        breaches = message_breaches(arguments)
        if any("metadata" in breach for breach in breaches):
            raise Refusal("invalid_metadata_format")
        if breaches:
            raise Refusal("invalid_blocks", response_metadata={"messages": breaches})

    def _member(self, user: object, otherwise: str) -> Member:
        if user not in self.members:
            raise Refusal(otherwise)
        return self.members[str(user)]

    def _recipient(self, channel: object) -> Member:
        for member in self.members.values():
            if channel in {member.id, conversation(member.id)}:
                return member
        raise Refusal("channel_not_found")


def conversation(user: str) -> str:
    """Return the id of the app's direct messages with this person."""
    return "D" + user[1:]
