"""A pretended Slack that other processes look into and disturb, over HTTP."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from connectors.testing.clock import ShiftedClock
from connectors.testing.pace import Breach
from connectors.testing.slack import FakeSlack
from connectors.testing.team import Form, Posted
from connectors.testing.wire import HttpAnswer, HttpRequest, json_answer, post

PATH = "control"

_FAULTS = (
    "refuse", "refuse_after_accept", "cut_before_accept", "cut_after_accept", "accept_late",
    "answer_html", "hang", "slow", "clear_faults", "seed",
)  # fmt: skip
_STATE = (
    "add_person", "add_channel", "archive", "deactivate", "press_home", "open_home", "disconnect",
)  # fmt: skip
_ATTRIBUTES = (
    "messages", "deliveries", "breaches", "calls", "forms", "homes", "connections",
    "unacknowledged", "interactions_to", "events_to", "token", "app_token", "signing_secret",
)  # fmt: skip


class Control:
    """Answers ``POST /control/ACT``, whose body is a JSON object of what the act takes.

    Acts are the methods and attributes of ``FakeSlack``; a message is named by its ``channel`` and
    ``ts``, a form by its ``id``.

    Args:
        slack: What is looked into.
        clock: Its clock.
    """

    def __init__(self, slack: FakeSlack, clock: ShiftedClock) -> None:
        self._slack = slack
        self._clock = clock
        acts: dict[str, Callable[..., Any]] = {
            name: getattr(slack, name) for name in (*_FAULTS, *_STATE)
        }
        acts |= {name: self._reader(name) for name in _ATTRIBUTES}
        acts |= {
            "send_to": self._send_to,
            "press": self._press,
            "submit": self._submit,
            "delete": self._delete,
            "forward": clock.forward,
            "stop_at": lambda at: clock.stop_at(datetime.fromisoformat(at)),
        }
        self._acts = acts
        slack.pages[PATH] = self.answer

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Do what is asked; 404 for an act there is not, 422 for one that is asked wrongly."""
        act = request.path.removeprefix(f"/{PATH}/")
        if act not in self._acts:
            return json_answer({"error": f"there is no {act!r}", "acts": sorted(self._acts)}, 404)
        try:
            asked = json.loads(request.body or b"{}")
            if isinstance(asked.get("until"), str):
                asked["until"] = datetime.fromisoformat(asked["until"])
            return json_answer({"result": _shown(self._acts[act](**asked))})
        except (TypeError, ValueError, LookupError, AttributeError) as fault:
            return json_answer({"error": f"{act}: {fault}"}, 422)

    def _reader(self, name: str) -> Callable[[], Any]:
        return lambda: getattr(self._slack, name)

    def _send_to(self, interactions: str, events: str = "") -> None:
        self._slack.interactions_to, self._slack.events_to = interactions, events

    def _press(self, channel: str, ts: str, action: str, by: str | None = None) -> HttpAnswer:
        return self._slack.press(self._message(channel, ts), action, by=by)

    def _submit(self, form: str, values: Mapping[str, Any]) -> HttpAnswer:
        found = next(each for each in self._slack.forms if each.id == form)
        return self._slack.submit(found, values)

    def _delete(self, channel: str, ts: str) -> None:
        self._slack.delete(self._message(channel, ts))

    def _message(self, channel: str, ts: str) -> Posted:
        for message in self._slack.messages:
            if (message.channel, message.ts) == (channel, ts):
                return message
        raise LookupError(f"there is no message {channel}/{ts}")


class RemoteSlack:
    """Looks into and disturbs a pretended Slack that runs in another process.

    Attributes:
        url: The API's address, for ``base_url``.

    Args:
        address: What ``python -m connectors.testing`` says it is reached at.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self.url = f"{self._address}/api/"

    def do(self, act: str, **asked: Any) -> Any:
        """Do one act of ``Control`` and return its result.

        Raises:
            LookupError: There is no such act, or it is asked wrongly.
        """
        body = json.dumps(asked, default=_written).encode()
        answer = post(f"{self._address}/{PATH}/{act}", body, {"Content-Type": "application/json"})
        if answer.status != 200:
            raise LookupError(answer.json["error"])
        return answer.json["result"]

    @property
    def messages(self) -> list[Posted]:
        """Every message that was ever taken, oldest first."""
        return [Posted(**each) for each in self.do("messages")]

    @property
    def breaches(self) -> list[Breach]:
        """Posts that came faster than Slack allows."""
        return [
            Breach(
                each["channel"],
                datetime.fromisoformat(each["at"]),
                timedelta(seconds=each["gap"]),
            )
            for each in self.do("breaches")
        ]


def _shown(found: Any) -> Any:
    """Return something as plain JSON values."""
    match found:
        case HttpAnswer():
            return {"status": found.status, "body": found.body.decode(errors="replace")}
        case Posted() | Form() | Breach():
            return json.loads(json.dumps(asdict(found), default=_written))
        case Mapping():
            return {key: _shown(value) for key, value in found.items()}
        case list() | tuple():
            return [_shown(each) for each in found]
    return found


def _written(value: object) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not plain")
