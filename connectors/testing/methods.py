"""Slack's Web API, as far as it is used here, over a pretended workspace.

Sources:
    https://docs.slack.dev/reference/methods
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from connectors.slack.limits import BEST_TEXT, home_breaches, message_breaches, view_breaches
from connectors.testing.pace import Pace
from connectors.testing.team import BOT, Form, Member, Place, Posted, Refusal, SlackTeam
from connectors.testing.team import conversation as conversation_with

Json = dict[str, Any]

SCOPES: Mapping[str, str | None] = {
    "auth.test": None,
    "apps.connections.open": None,
    "bots.info": "users:read",
    "users.info": "users:read",
    "users.lookupByEmail": "users:read.email",
    "conversations.open": "im:write",
    "conversations.history": "im:history",
    "conversations.info": "im:read",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "views.open": None,
    "views.update": None,
    "views.push": None,
    "views.publish": None,
}
"""Every method that is answered, and the scope it needs."""


class WebApi:
    """Answers the Web API out of a workspace's state.

    Args:
        team: The workspace.
        scopes: What the app may do.
        pace: Takes note of every post.
        socket_url: Returns a fresh address for Socket Mode.
    """

    def __init__(
        self,
        team: SlackTeam,
        scopes: frozenset[str],
        pace: Pace,
        socket_url: Callable[[], str],
    ) -> None:
        self.scopes = scopes
        self._team = team
        self._pace = pace
        self._socket_url = socket_url
        self._methods: Mapping[str, Callable[[Json], Json]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open_connection,
            "bots.info": self._bots_info,
            "users.info": self._users_info,
            "users.lookupByEmail": self._users_lookup,
            "conversations.open": self._conversations_open,
            "conversations.history": self._conversations_history,
            "conversations.info": self._conversations_info,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_private,
            "chat.update": self._update,
            "views.open": self._open_view,
            "views.push": self._open_view,
            "views.update": self._update_view,
            "views.publish": self._publish_view,
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

    def _auth_test(self, _arguments: Json) -> Json:
        return {
            "url": "https://larkfield.slack.com/",
            "team": "Larkfield",
            "team_id": self._team.id,
            "user_id": BOT,
            "bot_id": "B0FOLLOW",
        }

    def _open_connection(self, _arguments: Json) -> Json:
        return {"url": self._socket_url()}

    def _bots_info(self, _arguments: Json) -> Json:
        bot = {"id": "B0FOLLOW", "app_id": self._team.app, "name": "Followthrough"}
        return {"bot": bot | {"user_id": BOT, "deleted": False}}

    def _users_info(self, arguments: Json) -> Json:
        return {"user": self._team.member(arguments.get("user")).shown()}

    def _users_lookup(self, arguments: Json) -> Json:
        asked = str(arguments.get("email")).lower()
        for member in self._team.members.values():
            # Slack does not find people by the e-mail of a closed account.
            if member.email.lower() == asked and not member.deleted:
                return {"user": member.shown()}
        raise Refusal("users_not_found")

    def _conversations_open(self, arguments: Json) -> Json:
        member = self._team.member(arguments.get("users"))
        if member.deleted:
            raise Refusal("user_disabled")
        if member.is_bot:
            raise Refusal("cannot_dm_bot")
        return {"channel": {"id": conversation_with(member.id)}}

    def _conversations_info(self, arguments: Json) -> Json:
        if arguments.get("channel") in self._team.places:
            place = self._team.places[str(arguments["channel"])]
            known = {"id": place.id, "name": place.name, "is_archived": place.archived}
            return {"channel": known | {"is_member": BOT in place.members}}
        channel = self._where(arguments)
        return {"channel": {"id": channel, "is_im": True, "is_archived": False}}

    def _conversations_history(self, arguments: Json) -> Json:
        channel = self._where(arguments)
        if arguments.get("channel") != channel:
            raise Refusal("channel_not_found")
        oldest, latest = arguments.get("oldest"), arguments.get("latest")
        found = [
            message
            for message in reversed(self._team.messages)
            if message.channel == channel
            and not (message.private or message.deleted)
            and (not oldest or float(message.ts) > float(oldest))
            and (not latest or float(message.ts) < float(latest))
        ]
        start = int(arguments.get("cursor") or 0)
        end = start + min(int(arguments.get("limit") or 100), 999)
        with_metadata = str(arguments.get("include_all_metadata")).lower() in {"1", "true"}
        page = [m.shown(with_metadata=with_metadata) for m in found[start:end]]
        more = end < len(found)
        cursor = {"response_metadata": {"next_cursor": str(end)}} if more else {}
        return {"messages": page, "has_more": more, **cursor}

    def _post_message(self, arguments: Json) -> Json:
        to = self._team.destination(arguments.get("channel"))
        if isinstance(to, Member) and to.is_bot:
            raise Refusal("cannot_dm_bot")
        _check(arguments)
        channel, now = _channel(to), self._team.clock()
        if self._pace.strict and self._pace.wait(channel, now):
            raise Refusal("ratelimited")
        self._pace.note(channel, now)
        posted = self._team.post(to.id, arguments)
        return {"channel": posted.channel, "ts": posted.ts, "message": posted.shown()}

    def _post_private(self, arguments: Json) -> Json:
        member = self._team.member(arguments.get("user"), "user_not_in_channel")
        _check(arguments)
        return {"message_ts": self._team.post(member.id, arguments, private=True).ts}

    def _update(self, arguments: Json) -> Json:
        place = self._team.places.get(str(arguments.get("channel")))
        if place is not None and place.archived:
            raise Refusal("is_inactive")
        message = self._team.message(arguments.get("channel"), arguments.get("ts"))
        if message.app != self._team.app:
            raise Refusal("cant_update_message")
        _check(arguments, text_limit=BEST_TEXT)
        self._change(message, arguments)
        return {"channel": message.channel, "ts": message.ts, "text": message.text}

    def _change(self, message: Posted, arguments: Json) -> None:
        message.text = arguments.get("text") or ""
        message.blocks = list(arguments.get("blocks") or [])
        message.metadata = arguments.get("metadata") or message.metadata

    def _open_view(self, arguments: Json) -> Json:
        view = arguments.get("view") or {}
        if breaches := view_breaches(view):
            raise Refusal("invalid_arguments", response_metadata={"messages": breaches})
        user = self._team.use_trigger(str(arguments.get("trigger_id")))
        return {"view": view_of(self._team.opened(user, view))}

    def _update_view(self, arguments: Json) -> Json:
        for form in self._team.forms:
            if form.id == arguments.get("view_id") and not form.closed:
                _same(form, arguments)
                view = arguments.get("view") or {}
                if breaches := view_breaches(view):
                    raise Refusal("invalid_arguments", response_metadata={"messages": breaches})
                form.view = view
                return {"view": view_of(form)}
        raise Refusal("not_found")

    def _publish_view(self, arguments: Json) -> Json:
        member = self._team.member(arguments.get("user_id"))
        view = arguments.get("view") or {}
        if breaches := home_breaches(view):
            raise Refusal("invalid_arguments", response_metadata={"messages": breaches})
        home = self._team.homes.get(member.id)
        if home is None:
            home = self._team.homes[member.id] = Form(
                f"V{self._team.new_number():06d}", member.id, {}
            )
        else:
            _same(home, arguments)
        home.view = view
        return {"view": view_of(home)}

    def _where(self, arguments: Json) -> str:
        return _channel(self._team.destination(arguments.get("channel")))


def view_of(form: Form) -> Json:
    """Return a form or a Home as Slack shows it to the app."""
    return {"id": form.id, "hash": _hash(form), **form.view}


def _hash(form: Form) -> str:
    written = json.dumps(form.view, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:12]


def _same(form: Form, arguments: Json) -> None:
    if arguments.get("hash") not in {None, "", _hash(form)}:
        raise Refusal("hash_conflict")


def _channel(to: Member | Place) -> str:
    return to.id if isinstance(to, Place) else conversation_with(to.id)


def _check(arguments: Json, *, text_limit: int | None = None) -> None:
    if not arguments.get("text") and not arguments.get("blocks"):
        raise Refusal("no_text")
    if text_limit and len(arguments.get("text") or "") > text_limit:
        raise Refusal("msg_too_long")
    breaches = message_breaches(arguments)
    if any("metadata" in breach for breach in breaches):
        raise Refusal("invalid_metadata_format")
    if breaches:
        raise Refusal("invalid_blocks", response_metadata={"messages": breaches})
