"""Slack's published limits, and what in a message or a form breaks them.

Stricter than Slack in one respect: only the blocks and elements that this package builds are known.

Sources:
    https://docs.slack.dev/reference/block-kit and the types in slackapi/node-slack-sdk.
"""

import json
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
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
VIEW_BYTES = 250_000

_Json = Mapping[str, Any]


def message_breaches(message: _Json) -> list[str]:
    """Return what Slack would refuse in a message; empty when it is fine."""
    text, blocks = message.get("text", ""), message.get("blocks", [])
    found = [] if text or blocks else ["a message needs text or blocks"]
    if length(text) > MESSAGE_TEXT:
        found.append(f"text is over {MESSAGE_TEXT}")
    return found + list(_block_list(blocks, MESSAGE_BLOCKS)) + list(_metadata(message))


def view_breaches(view: _Json) -> list[str]:
    """Return what Slack would refuse in a modal form; empty when it is fine."""
    found = [] if view.get("type") == "modal" else ["a view's type is 'modal' here"]
    for part in ("title", "submit", "close"):
        if part in view or part == "title":
            found += _text(view.get(part), VIEW_TITLE, part, plain=True)
    blocks = view.get("blocks", [])
    if any(block.get("type") == "input" for block in blocks) and "submit" not in view:
        found.append("a view with an input needs submit")
    found += _limited(view, "callback_id", ID)
    found += _limited(view, "private_metadata", PRIVATE_METADATA)
    if len(json.dumps(view)) > VIEW_BYTES:
        found.append(f"the view is over {VIEW_BYTES} bytes")
    return found + list(_block_list(blocks, VIEW_BLOCKS))


def _block_list(blocks: Sequence[_Json], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"{len(blocks)} blocks; at most {most}"
    named = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(named)) < len(named):
        yield "a block_id stands twice"
    for block in blocks:
        yield from _limited(block, "block_id", ID)
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
        case "input":
            yield from _text(block.get("label"), INPUT_LABEL, "label", plain=True)
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
            yield from _text(element.get("text"), BUTTON_TEXT, "button", plain=True)
            yield from _limited(element, "value", BUTTON_VALUE)
            yield from _limited(element, "url", URL)
            yield from _limited(element, "accessibility_label", BUTTON_TEXT)
        case "static_select":
            yield from _counted(element.get("options", []), OPTIONS, "option")
            for option in element.get("options", []):
                yield from _text(option.get("text"), OPTION_TEXT, "option", plain=True)
                yield from _limited(option, "value", OPTION_VALUE, needed=True)
        case "plain_text_input":
            if not 0 <= element.get("max_length", TEXT) <= TEXT:
                yield f"max_length is over {TEXT}"
        case other:
            yield f"an element of type {other!r} is not known here"
    if "placeholder" in element:
        yield from _text(element["placeholder"], PLACEHOLDER, "placeholder", plain=True)


def _metadata(message: _Json) -> Iterator[str]:
    if "metadata" not in message:
        return
    metadata = message["metadata"]
    if not isinstance(metadata.get("event_type"), str):
        yield "metadata needs event_type"
    for name, value in metadata.get("event_payload", {}).items():
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
