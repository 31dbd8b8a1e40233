"""YAML read with its line numbers, and nothing in it that could surprise.

YAML 1.2: ``NO`` is a text and ``1:30`` is one too; dates stay texts until a model reads them.
Refused are duplicate keys, anchors, aliases and tags, and whatever is too large or too deep.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from decisions.errors import DefinitionError, Fault, Place

LARGEST_FILE = 1_000_000
"""Bytes; looked at before anything is read."""
MOST_VALUES = 50_000
"""Keys and values of a file; reading them takes a good second."""
DEEPEST = 20
LONGEST_NUMBER = 18
"""Digits of a whole number; what is longer is a text, such as an account's number."""

_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class YamlText:
    """What a YAML file says, and where.

    Attributes:
        file: The file, as it is named to a person.
        content: Mappings, lists, texts, numbers, booleans and None.
        lines: Line of every key and list item, counted from 1, by place.
        faults: Keys that occur twice; the first of each is kept.
    """

    file: str
    content: object
    lines: Mapping[Place, int]
    faults: tuple[Fault, ...] = ()

    def line(self, place: Place) -> int:
        """Return the line of a place or, where the file lacks it, of what should hold it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, text: str) -> Fault:
        """Return a fault at a place."""
        return Fault(self.file, self.line(place), text)


def read_yaml(path: Path, name: str, *, most_values: int = MOST_VALUES) -> YamlText:
    """Return what a YAML file says.

    Args:
        path: The file.
        name: How it is named to a person.
        most_values: How many keys and values it may hold.

    Raises:
        DefinitionError: It cannot be read, is no YAML, or holds what is not read.
    """
    try:
        if path.stat().st_size > LARGEST_FILE or not path.is_file():
            found = f"{path.stat().st_size:,} bytes" if path.is_file() else "not a file"
            raise _refusal(name, 0, f"{found}; a file of at most {LARGEST_FILE:,} bytes is read")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _refusal(name, 0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise _refusal(name, line, f"{found}; save the file as UTF-8") from error
    return parsed_yaml(text, name, most_values=most_values)


def parsed_yaml(text: str, name: str, *, most_values: int = MOST_VALUES) -> YamlText:
    """Return what a text in YAML says.

    Args:
        text: The YAML.
        name: How its file is named to a person.
        most_values: How many keys and values it may hold.

    Raises:
        DefinitionError: It is no YAML, or holds what is not read.
    """
    reader = _Reader(name, most_values)
    try:
        content = reader.document(iter(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise _refusal(name, line, _problem(str(error.problem or error.context))) from error
    except YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _refusal(name, line, "a control character, which YAML does not allow") from error
    return YamlText(name, content, reader.lines, tuple(reader.faults))


class _Reader:
    """Builds plain values from parser events, in one pass and within limits."""

    def __init__(self, name: str, most_values: int) -> None:
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self._name = name
        self._most_values = most_values
        self._count = 0

    def document(self, events: Iterator[Event]) -> object:
        """Return the content of the one document."""
        content, found = None, False
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if found:
                    raise self._refusal(event, "a second document; one file holds one")
                content, found = self._value(next(events), events, ()), True
        return content

    def _value(self, event: Event, events: Iterator[Event], place: Place) -> object:
        self._refuse_unreadable(event, place)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, place)
        if isinstance(event, SequenceStartEvent):
            return self._list(events, place)
        return _scalar(event) if isinstance(event, ScalarEvent) else None

    def _mapping(self, events: Iterator[Event], place: Place) -> dict[str, object]:
        content: dict[str, object] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            self._refuse_unreadable(event, place)
            if not isinstance(event, ScalarEvent):
                advice = "put text that begins with { or [ in quotes"
                raise self._refusal(event, f"a key that is no plain text; {advice}")
            key, line = event.value, event.start_mark.line + 1
            within = (*place, key)
            if key in content:
                again = f"the key {key!r} occurs again; it stands in line {self.lines[within]} too"
                self.faults.append(Fault(self._name, line, again))
                self._value(next(events), events, (*place, f"{key} (line {line})"))
                continue
            self.lines[within] = line
            content[key] = self._value(next(events), events, within)
        return content

    def _list(self, events: Iterator[Event], place: Place) -> list[object]:
        content: list[object] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            within = (*place, len(content))
            self.lines[within] = event.start_mark.line + 1
            content.append(self._value(event, events, within))
        return content

    def _refuse_unreadable(self, event: Event, place: Place) -> None:
        self._count += 1
        if self._count > self._most_values:
            raise self._refusal(event, f"more than {self._most_values:,} values; split the file")
        if len(place) > DEEPEST:
            raise self._refusal(event, f"nested more than {DEEPEST} deep")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._refusal(event, "anchors and aliases are not read; write the value out")
        if isinstance(event, NodeEvent) and getattr(event, "tag", None) is not None:
            raise self._refusal(event, "tags such as !!str are not read; put texts in quotes")

    def _refusal(self, event: Event, text: str) -> DefinitionError:
        return _refusal(self._name, event.start_mark.line + 1, text)


def _scalar(event: ScalarEvent) -> object:
    """Return the value of a scalar by YAML 1.2's core schema; quoted ones are texts."""
    text: str = event.value
    if event.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) <= LONGEST_NUMBER else text
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _problem(found: str) -> str:
    if "\\t" in found:
        return "a tab; YAML is indented with spaces"
    if "mapping values are not allowed" in found:
        return "a colon where no value may begin; put text that holds ': ' in quotes"
    if "cannot start any token" in found:
        return f"{found}; put text that begins with such a character in quotes"
    return f"not YAML: {found}"


def _refusal(name: str, line: int, text: str) -> DefinitionError:
    return DefinitionError([Fault(name, line, text)])
