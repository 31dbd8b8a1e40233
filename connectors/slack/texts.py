"""Text that came from data, made safe to show in Slack: one line, escaped, within a limit."""

import re

# Control characters, lone surrogates, line separators and the controls that reorder what follows:
# with any of them a value could draw lines of its own, or be refused by a reader further on.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_UNESCAPES = re.compile("&(amp|lt|gt);")
_ESCAPED = {"amp": "&", "lt": "<", "gt": ">"}
_CUT = "…"
NOTHING = "-"
"""What stands where there is nothing to show; Slack refuses an empty text."""


def length(text: str) -> int:
    """Return the length in UTF-16 units, the longest way Slack may count it."""
    return len(text) + sum(character > "\uffff" for character in text)


def one_line(text: str) -> str:
    """Return the text on one line, without characters that could draw lines of their own."""
    return " ".join(_UNSAFE.sub(" ", text).split())


def escape(text: str) -> str:
    """Replace the three characters that start Slack's own markup.

    Sources:
        https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def unescape(text: str) -> str:
    """Return the text as Slack shows it."""
    return _UNESCAPES.sub(lambda match: _ESCAPED[match[1]], text)


def fitting(text: str, limit: int) -> str:
    """Return the text on one line, escaped, and cut with ``…`` where it is too long.

    Args:
        text: What to show, as it came.
        limit: The most UTF-16 units the result may have, escapes included; at least 1.
    """
    line = one_line(text)
    if len(line) <= limit and length(escaped := escape(line)) <= limit:
        return escaped
    room = limit - length(_CUT)
    kept = 0
    while (room := room - length(_ESCAPES.get(line[kept], line[kept]))) >= 0:
        kept += 1
    return escape(line[:kept]).rstrip() + _CUT
