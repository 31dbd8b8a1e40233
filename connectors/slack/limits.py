"""Slack's published limits, and what in a message or a form breaks them.

Stricter than Slack in one respect: only the blocks and elements that this package builds are known.

Sources:
    https://docs.slack.dev/reference/block-kit and the types in slackapi/node-slack-sdk.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.slack.texts import length

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 40_000
BEST_TEXT = 4_000
"""Above this, ``chat.update`` refuses a text."""
TEXT = 3_000
HEADER = 150
SECTION_FIELDS = 10
FIELD = 2_000
CONTEXT_ELEMENTS = 10
ACTIONS = 25
ID = 255
"""``block_id``, ``action_id`` and ``callback_id``."""
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = 3_000
OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
PLACEHOLDER = 150
INPUT_LABEL = 2_000
INPUT_LENGTH = 3_000
RADIO_OPTIONS = 10
CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
ATTACHMENTS = 100
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
VIEW_BYTES = 250_000

_Json = Mapping[str, Any]
_PICKERS = {"users_select", "datepicker", "timepicker", "datetimepicker"}
_METADATA_NAME = re.compile(r"[a-z][a-z0-9_]*")


def message_breaches(message: _Json) -> list[str]:
    """Return what Slack would refuse in a message; empty when it is fine."""
    text, blocks = message.get("text", ""), message.get("blocks", [])
    found = [] if text or blocks else ["a message needs text or blocks"]
    if length(text) > MESSAGE_TEXT:
        found.append(f"text is over {MESSAGE_TEXT}")
    if len(message.get("attachments") or ()) > ATTACHMENTS:
        found.append(f"over {ATTACHMENTS} attachments")
    return found + list(_block_list(blocks, MESSAGE_BLOCKS)) + list(_metadata(message))


def view_breaches(view: _Json) -> list[str]:
    """Return what Slack would refuse in a modal form; empty when it is fine."""
    found = [] if view.get("type") == "modal" else ["a view's type is 'modal' here"]
    for part in ("title", "submit", "close"):
        if part in view or part == "title":
            found += _text(view.get(part), VIEW_TITLE, part, plain=True)
    has_input = any(block.get("type") == "input" for block in view.get("blocks", []))
    if has_input and "submit" not in view:
        found.append("a view with an input needs submit")
    return found + _surface(view)


def home_breaches(view: _Json) -> list[str]:
    """Return what Slack would refuse in a person's Home; empty when it is fine."""
    found = [] if view.get("type") == "home" else ["a Home's type is 'home'"]
    found += [f"a Home has no {part}" for part in ("title", "submit", "close") if part in view]
    return found + _surface(view)


def _surface(view: _Json) -> list[str]:
    found = list(_limited(view, "callback_id", ID))
    found += _limited(view, "external_id", ID)
    found += _limited(view, "private_metadata", PRIVATE_METADATA)
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        found.append(f"the view is over {VIEW_BYTES} bytes")
    return found + list(_block_list(view.get("blocks", []), VIEW_BLOCKS, in_view=True))


def _block_list(blocks: Sequence[_Json], most: int, *, in_view: bool = False) -> Iterator[str]:
    if len(blocks) > most:
        yield f"{len(blocks)} blocks; at most {most}"
    named = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(named)) < len(named):
        yield "a block_id stands twice"
    for block in blocks:
        yield from _limited(block, "block_id", ID)
        if block.get("type") == "input" and not in_view:
            yield "an input stands in views only"
        yield from _block(block)


def _block(block: _Json) -> Iterator[str]:
    match block.get("type"):
        case "header":
            yield from _text(block.get("text"), HEADER, "header", plain=True)
        case "section":
            yield from _section(block)
        case "context":
            yield from _counted(block.get("elements", []), CONTEXT_ELEMENTS, "context element")
            for element in block.get("elements", []):
                yield from _text(element, TEXT, "context")
        case "actions":
            yield from _actions(block.get("elements", []))
        case "divider":
            return
        case "input":
            for part in ("label", "hint"):
                if part in block or part == "label":
                    yield from _text(block.get(part), INPUT_LABEL, part, plain=True)
            yield from _element(block.get("element", {}))
        case other:
            yield f"a block of type {other!r} is not known here"


def _section(block: _Json) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section needs text or fields"
    if "text" in block:
        yield from _text(block["text"], TEXT, "section")
    if "fields" in block:
        yield from _counted(block["fields"], SECTION_FIELDS, "field")
        for field in block["fields"]:
            yield from _text(field, FIELD, "field")
    if "accessory" in block:
        yield from _element(block["accessory"])


def _actions(elements: Sequence[_Json]) -> Iterator[str]:
    yield from _counted(elements, ACTIONS, "action")
    names = [element.get("action_id") for element in elements]
    if len(set(names)) < len(names):
        yield "an action_id stands twice"
    for element in elements:
        yield from _element(element)


def _element(element: _Json) -> Iterator[str]:
    yield from _limited(element, "action_id", ID, needed=True)
    match element.get("type"):
        case "button":
            yield from _button(element)
        case "static_select":
            yield from _options(element, OPTIONS)
        case "radio_buttons":
            yield from _options(element, RADIO_OPTIONS)
        case "plain_text_input":
            yield from _typed(element)
        case picker if picker in _PICKERS:
            pass
        case other:
            yield f"an element of type {other!r} is not known here"
    if "placeholder" in element:
        yield from _text(element["placeholder"], PLACEHOLDER, "placeholder", plain=True)
    for part in CONFIRM.keys() if "confirm" in element else ():
        plain = part != "text"
        yield from _text(element["confirm"].get(part), CONFIRM[part], part, plain=plain)


def _button(element: _Json) -> Iterator[str]:
    yield from _text(element.get("text"), BUTTON_TEXT, "button", plain=True)
    yield from _limited(element, "value", BUTTON_VALUE)
    yield from _limited(element, "url", URL)
    yield from _limited(element, "accessibility_label", BUTTON_TEXT)
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield f"a button has no style {element['style']!r}"


def _options(element: _Json, most: int) -> Iterator[str]:
    options = element.get("options", [])
    yield from _counted(options, most, "option")
    for option in options:
        yield from _text(option.get("text"), OPTION_TEXT, "option", plain=True)
        yield from _limited(option, "value", OPTION_VALUE, needed=True)
    values = [option.get("value") for option in options]
    if len(set(values)) < len(values):
        yield "an option's value stands twice"
    if "initial_option" in element and element["initial_option"] not in options:
        yield "the initial option is none of the options"


def _typed(element: _Json) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", INPUT_LENGTH)
    if not 0 <= least <= most <= INPUT_LENGTH or not most:
        yield f"a text of {least} to {most} characters; up to {INPUT_LENGTH} are allowed"
    if length(element.get("initial_value", "")) > most:
        yield "the initial value is longer than what may be typed"


def _metadata(message: _Json) -> Iterator[str]:
    if "metadata" not in message:
        return
    metadata = message["metadata"]
    if not isinstance(metadata.get("event_type"), str):
        yield "metadata needs event_type"
    for name, value in metadata.get("event_payload", {}).items():
        if not _METADATA_NAME.fullmatch(name):
            yield f"metadata has no name like {name!r}"
        if isinstance(value, dict | list):
            yield f"metadata {name!r} is not flat"


def _counted(items: Sequence[Any], most: int, what: str) -> Iterator[str]:
    if not 1 <= len(items) <= most:
        yield f"{len(items)} {what}s; 1 to {most} are allowed"


def _limited(part: _Json, key: str, most: int, *, needed: bool = False) -> Iterator[str]:
    value = part.get(key, "")
    if (needed or key in part) and not 1 <= length(value) <= most:
        yield f"{key} has {length(value)} characters; 1 to {most} are allowed"


def _text(text: _Json | None, most: int, what: str, *, plain: bool = False) -> Iterator[str]:
    text = text or {}
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if text.get("type") not in kinds:
        yield f"{what} is of type {text.get('type')!r}; allowed: {', '.join(sorted(kinds))}"
    yield from _limited(text, "text", most, needed=True)
