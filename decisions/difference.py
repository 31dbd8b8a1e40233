"""What one version of a decision would do otherwise than another, as owners speak of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from decisions.definition import Definition
from decisions.errors import ExpressionError
from decisions.ownership import People
from decisions.phrase import phrase
from decisions.rules.expression import parse

_TOPICS: Final = {
    "decision": "Name",
    "case_prefix": "Name",
    "purpose": "Purpose",
    "owners": "Owners",
    "review_by": "Owners",
    "sign_off": "Owners",
    "signal": "Evidence",
    "context": "Evidence",
    "match": "Who is selected",
    "rules": "Who is selected",
    "otherwise": "Who is selected",
    "withhold": "Where it stops",
    "actions": "What is asked",
    "limits": "How much",
    "schedule": "When it runs",
    "holdout": "How it is measured",
    "intervention": "How it is measured",
    "outcome": "How it is measured",
    "report": "Who hears of it",
    "examples": "Examples",
}
"""The heading under which a change of each key of a definition is told; in this order."""

_WORDS: Final = {
    "assign": "goes to",
    "at_most": "at most",
    "because": "reason",
    "complete_within": "time to complete",
    "do": "asks for",
    "escalate": "escalation",
    "otherwise": "everybody else",
    "override_reasons": "reasons to override",
    "per_assignee": "cases of one person",
    "per_run": "cases of one run",
    "per_subject": "cases of one subject",
    "prefer": "who comes first",
    "respond_within": "time to answer",
    "review_by": "next review",
    "share": "share left alone",
    "through": "told through",
    "when": "condition",
    "warn_at": "warning at",
    "worthwhile": "smallest effect worth having",
}
"""What people call a key; one that is not here goes by its name."""

_CONDITIONS: Final = {"when"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be otherwise.

    Attributes:
        topic: Of what, such as ``How much``.
        text: What, in one line.
        path: The key in the definition, such as ``limits.per_run``.
        before: What it was; None if there was none.
        after: What it is; None if there is none any more.
    """

    topic: str
    text: str
    path: str
    before: Any
    after: Any


def differences(before: Definition, after: Definition, people: People) -> tuple[Change, ...]:
    """Return what has changed from one definition to the other, topic by topic.

    Every key is compared, defaults written out. Rules are told apart by their names, so that one
    that moved is not one that was removed and another that was added.

    Args:
        before: What was.
        after: What is to be.
        people: Who there is, for names in place of keys.
    """
    told = _Telling(before, after, people)
    found = [told.change(*each) for each in _changed(_content(before), _content(after), ())]
    moved = _moved([rule.name for rule in before.rules], [rule.name for rule in after.rules])
    if moved is not None and after.match == "first":
        found.append(moved)
    order = list(dict.fromkeys(_TOPICS.values()))
    return tuple(sorted(found, key=lambda change: order.index(change.topic)))


def _content(definition: Definition) -> dict[str, Any]:
    content = definition.model_dump(mode="json", by_alias=True)
    content["rules"] = {rule.pop("name"): rule for rule in content["rules"]}
    content["withhold"] = {rule["because"]: rule for rule in content["withhold"]}
    return content


_Step = tuple[tuple[str, ...], Any, Any]


def _changed(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[_Step]:
    """Yield the smallest keys whose values differ; one that came or went is told as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _changed(before.get(key), after.get(key), (*path, key))
    elif before != after:
        yield path, before, after


def _moved(before: Sequence[str], after: Sequence[str]) -> Change | None:
    kept = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if kept == order:
        return None
    text = f"rules are tried in another order: {', '.join(after)}"
    return Change("Who is selected", text, "rules", list(before), list(after))


class _Telling:
    def __init__(self, before: Definition, after: Definition, people: People) -> None:
        self._before, self._after, self._people = before, after, people

    def change(self, path: tuple[str, ...], before: Any, after: Any) -> Change:
        """Return one change in words."""
        topic = _TOPICS.get(path[0], "Other")
        return Change(topic, self._text(path, before, after), ".".join(path), before, after)

    def _text(self, path: tuple[str, ...], before: Any, after: Any) -> str:
        if path == ("examples",):
            return f"{len(before or ())} examples before, {len(after or ())} now"
        what = self._what(path)
        if before is None:
            return f"{what}: new, {self._said(path, after, self._after)}"
        if after is None:
            return f"{what}: gone, was {self._said(path, before, self._before)}"
        was, now = self._said(path, before, self._before), self._said(path, after, self._after)
        return f"{what}: was {was}, is {now}"

    def _what(self, path: tuple[str, ...]) -> str:
        if path[0] == "owners":
            return f"{path[-1]} owner"
        is_named = path[0] in {"rules", "withhold", "actions"}
        words = path[1:] or path
        named = [words[0], *map(_word, words[1:])] if is_named else list(map(_word, words))
        return ": ".join(named)

    def _said(self, path: tuple[str, ...], value: Any, of: Definition) -> str:
        if isinstance(value, Mapping):
            parts = [
                (key, self._said((*path, key), each, of))
                for key, each in value.items()
                if each not in (None, [], {})
            ]
            return "; ".join(f"{_word(key)} {text}" for key, text in parts) or "nothing declared"
        if isinstance(value, list):
            return ", ".join(self._said(path, each, of) for each in value) or "nobody or nothing"
        if path[-1] in _CONDITIONS:
            return f"“{_in_words(str(value), of)}”"
        if path[0] == "owners" or path[-1] in {"assign", "to", "by"}:
            return self._people.name(self._people.roles.get(str(value), str(value)))
        return "yes" if value is True else "no" if value is False else str(value)


def _word(key: str) -> str:
    return _WORDS.get(key, key.replace("_", " "))


def _in_words(condition: str, of: Definition) -> str:
    try:
        return phrase(parse(condition, of.columns), of.fields)
    except ExpressionError:  # a version of an older program may say what this one refuses
        return condition
