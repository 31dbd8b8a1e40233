"""The forms that open before whoever answers: what was done, why otherwise, until when, to whom."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from connectors.slack.limits import OPTION_TEXT, OPTIONS, RADIO_OPTIONS, VIEW_TITLE
from connectors.slack.texts import NOTHING, fitting

REASON, NOTE, UNTIL, TO, AT = "reason", "note", "until", "to", "at"
"""The parts of the forms, as the desk names what it refuses."""
NOTE_LENGTH = 1_000

DONE, OVERRIDE, SNOOZE, REASSIGN = "done", "override", "snooze", "reassign"
FORMS: Final = frozenset({DONE, OVERRIDE, SNOOZE, REASSIGN})
"""The ``callback_id`` of each form: the move that it makes."""

_CHOICE = {DONE: REASON, OVERRIDE: REASON, REASSIGN: TO}
_INSTANT = {DONE: AT, SNOOZE: UNTIL}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a form is opened for.

    Attributes:
        case: The case's key.
        title: The ask in one sentence.
        reply_to: The ``response_url`` of the press that opens it; empty for one on the Home.
    """

    case: str
    title: str
    reply_to: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote in a form.

    Attributes:
        move: What it is to do: one of ``FORMS``.
        case: Key of the case the form was opened for.
        reply_to: Where the person can be told what came of it; empty for one from the Home.
        note: The sentence, trimmed; may be empty.
        chosen: Short name of the option that was chosen, or None.
        user: Slack's id of the person who was chosen, or None.
        instant: The instant that was picked (UTC), or None.
    """

    move: str
    case: str
    reply_to: str
    note: str = ""
    chosen: str | None = None
    user: str | None = None
    instant: datetime | None = None

    def choice(self, options: Sequence[str]) -> str | None:
        """Return which of the options was chosen, or None."""
        return next((option for option in options if _short_name(option) == self.chosen), None)


def done_form(opening: Opening, ways: Mapping[str, str], *, now: datetime) -> Json:
    """Return the form that asks what was done, and when.

    Args:
        opening: What it is opened for.
        ways: What may have been done, as people read it, by its name; the first is recommended. At
            most 10 are offered.
        now: The present instant (timezone-aware).
    """
    offered = list(ways.items())[:RADIO_OPTIONS]
    options = [_option(name, text) for name, text in offered]
    choice = {"type": "radio_buttons", "options": options, "initial_option": options[0]}
    hint = "The owners of the decision read it. Needed where it was something else."
    return _form(
        DONE,
        opening,
        "Report it done",
        [
            _input(REASON, "What was done?", choice),
            _input(NOTE, "In a sentence", _sentence(), hint=hint, optional=True),
            _input(AT, "When?", _instant(now)),
        ],
    )


def override_form(opening: Opening, reasons: Sequence[str]) -> Json:
    """Return the form that asks why the case is decided otherwise than recommended.

    Args:
        opening: What it is opened for.
        reasons: What an override may give as its reason; at most 100 are offered.
    """
    options = [_option(reason, reason) for reason in reasons[:OPTIONS]]
    return _form(
        OVERRIDE,
        opening,
        "Override",
        [
            _input(
                REASON, "What speaks against it?", {"type": "static_select", "options": options}
            ),
            _input(NOTE, "In a sentence", _sentence(), hint="The owners of the decision read it."),
        ],
    )


def snooze_form(opening: Opening, *, until: datetime) -> Json:
    """Return the form that asks until when the case is put off.

    Args:
        opening: What it is opened for.
        until: What is proposed (timezone-aware).
    """
    return _form(SNOOZE, opening, "Snooze", [_input(UNTIL, "Until when?", _instant(until))])


def reassign_form(opening: Opening, people: Mapping[str, str]) -> Json:
    """Return the form that asks to whom the case goes.

    Args:
        opening: What it is opened for.
        people: Names by key; beyond 100, anybody in Slack can be picked.
    """
    pick: Json = {"type": "users_select"}
    if 0 < len(people) <= OPTIONS:
        options = [_option(key, name) for key, name in people.items()]
        pick = {"type": "static_select", "options": options}
    note = _input(NOTE, "Why them? In a sentence", _sentence(), hint="They read it.")
    return _form(REASSIGN, opening, "Reassign", [_input(TO, "To whom?", pick), note])


def written(view: Mapping[str, Any]) -> Written:
    """Return what was written, from the ``view`` of a submission.

    Raises:
        ValueError: The view is not one of these forms, filled in.
    """
    try:
        move, context = str(view["callback_id"]), json.loads(view["private_metadata"])
        if move not in FORMS:
            raise ValueError(f"there is no form {move!r}")
        values: Mapping[str, Any] = view["state"]["values"]
        choice = _value(values, _CHOICE.get(move))
        instant = _value(values, _INSTANT.get(move)).get("selected_date_time")
        return Written(
            move=move,
            case=str(context["case"]),
            reply_to=str(context["reply_to"]),
            note=str(_value(values, NOTE).get("value") or "").strip(),
            chosen=(choice.get("selected_option") or {}).get("value"),
            user=choice.get("selected_user"),
            instant=None if instant is None else datetime.fromtimestamp(int(instant), UTC),
        )
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError("the view is not one of these forms, filled in") from error


def _value(values: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = values.get(name, {}).get(name, {}) if name else {}
    return found


def _form(move: str, opening: Opening, submit: str, inputs: Sequence[Json]) -> Json:
    about = f"{opening.case}: {opening.title}" if opening.title else opening.case
    return {
        "type": "modal",
        "callback_id": move,
        "private_metadata": json.dumps({"case": opening.case, "reply_to": opening.reply_to}),
        "title": _plain(submit, VIEW_TITLE),
        "submit": _plain(submit, VIEW_TITLE),
        "close": _plain("Cancel", VIEW_TITLE),
        "blocks": [{"type": "section", "text": _plain(about, 300)}, *inputs],
    }


def _input(
    name: str, label: str, element: Json, *, hint: str | None = None, optional: bool = False
) -> Json:
    block = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 100),
        "element": {"action_id": name, **element},
        "optional": optional,
    }
    return block | ({"hint": _plain(hint, 200)} if hint else {})


def _option(name: str, text: str) -> Json:
    return {"text": _plain(text, OPTION_TEXT), "value": _short_name(name)}


def _sentence() -> Json:
    return {"type": "plain_text_input", "multiline": True, "max_length": NOTE_LENGTH}


def _instant(at: datetime) -> Json:
    return {"type": "datetimepicker", "initial_date_time": int(at.timestamp())}


def _short_name(name: str) -> str:
    # A reason may be longer than Slack lets an option's value be.
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": fitting(text, limit) or NOTHING, "emoji": False}
