"""The form that asks why a case is decided otherwise, and what was written in it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.slack.limits import OPTION_TEXT, OPTIONS, VIEW_TITLE
from connectors.slack.texts import NOTHING, fitting

OVERRIDE_FORM = "override"
REASON, NOTE = "reason", "note"
NOTE_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class WrittenOverride:
    """What a person wrote in the form.

    Attributes:
        case: Key of the case the form was opened for.
        chosen: Short name of the reason that was chosen, or None.
        note: The sentence, trimmed; may be empty.
        reply_to: Where the person can be told what came of it.
    """

    case: str
    chosen: str | None
    note: str
    reply_to: str

    def reason(self, reasons: Sequence[str]) -> str | None:
        """Return which of the case's reasons was chosen, or None."""
        return next((reason for reason in reasons if _short_name(reason) == self.chosen), None)


def override_form(case: str, reasons: Sequence[str], *, reply_to: str) -> dict[str, Any]:
    """Return the form as Slack's ``views.open`` takes it.

    Args:
        case: The case's key.
        reasons: What an override may give as its reason; at most 100 are offered.
        reply_to: The ``response_url`` of the press that opens the form.
    """
    ask = f"{case}: what speaks against the recommendation?"
    return {
        "type": "modal",
        "callback_id": OVERRIDE_FORM,
        "private_metadata": json.dumps({"case": case, "reply_to": reply_to}),
        "title": _plain("Override", VIEW_TITLE),
        "submit": _plain("Override", VIEW_TITLE),
        "close": _plain("Cancel", VIEW_TITLE),
        "blocks": [
            {"type": "section", "text": _plain(ask, 300)},
            _input(REASON, "Reason", _choice(reasons)),
            _input(NOTE, "In a sentence", _sentence()),
        ],
    }


def written_override(view: Mapping[str, Any]) -> WrittenOverride:
    """Return what was written, from the ``view`` of a submission.

    Raises:
        ValueError: The view is not a filled-in override form.
    """
    try:
        context = json.loads(view["private_metadata"])
        values = view["state"]["values"]
        chosen = values[REASON][REASON].get("selected_option") or {}
        note = values[NOTE][NOTE].get("value") or ""
        return WrittenOverride(
            case=str(context["case"]),
            chosen=chosen.get("value"),
            note=str(note).strip(),
            reply_to=str(context["reply_to"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("the view is not a filled-in override form") from error


def _input(name: str, label: str, element: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 100),
        "element": {"action_id": name, **element},
    }


def _choice(reasons: Sequence[str]) -> dict[str, Any]:
    options = [
        {"text": _plain(reason, OPTION_TEXT), "value": _short_name(reason)}
        for reason in reasons[:OPTIONS]
    ]
    return {"type": "static_select", "options": options}


def _sentence() -> dict[str, Any]:
    return {"type": "plain_text_input", "multiline": True, "max_length": NOTE_LENGTH}


def _short_name(reason: str) -> str:
    # A reason may be longer than Slack lets an option's value be.
    return hashlib.sha256(reason.encode()).hexdigest()[:16]


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": fitting(text, limit) or NOTHING, "emoji": False}
