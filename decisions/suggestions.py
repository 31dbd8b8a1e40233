"""Small pieces of messages: what a name may have meant, and a text cut to length."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 30
"""A list of choices longer than this helps nobody."""


def did_you_mean(found: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean 'owners'?`` where a known name is near, else None."""
    by_lower_case = {name.lower(): name for name in known}
    near = get_close_matches(found[:100].lower(), by_lower_case, n=1, cutoff=0.6)
    return f"did you mean {by_lower_case[near[0]]!r}?" if near else None


def choices(found: str, known: Iterable[str], *, verb: str = "there are") -> str:
    """Return the nearest known name as a question or, where none is near, all that are known."""
    names = list(known)
    if question := did_you_mean(found, names):
        return question
    if not names:
        return "there are none"
    if len(names) == 1 and verb == "there are":
        return f"there is {names[0]!r}"
    return f"{verb} {listed(names)}"


def listed(values: Iterable[object]) -> str:
    """Return values as a person lists them, quoted; those beyond 30 are only counted."""
    shown = list(values)
    more = f" and {len(shown) - MOST_LISTED} more" if len(shown) > MOST_LISTED else ""
    return ", ".join(map(repr, shown[:MOST_LISTED])) + more


def cut(text: str, longest: int) -> str:
    """Return the text, shortened to so many characters with an ellipsis if it is longer."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
