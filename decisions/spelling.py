"""How names, texts, dates and schedules are spelt in a workspace's files."""

import re
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SLUG = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PREFIX = r"[A-Z]{2,6}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"


class Part(BaseModel):
    """A part of a definition: unknown keys are refused, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )


def iso_date(text: str) -> date:
    """Return the date of a text such as 2027-06-30, as every warehouse reads it.

    Raises:
        ValueError: It is not of that form, or there is no such day.
    """
    if not re.fullmatch(_DATE, text):
        raise ValueError(f"{text!r} is no date")
    return date.fromisoformat(text)


def iso_instant(text: str) -> datetime:
    """Return the instant of a text such as 2027-06-30 09:00:00, with or without an offset.

    Raises:
        ValueError: It is not of that form, or there is no such instant.
    """
    if not re.fullmatch(rf"{_DATE}([ T]{_TIME}(Z|[+-][0-9]{{2}}(:[0-9]{{2}})?)?)?", text):
        raise ValueError(f"{text!r} is no instant")
    return datetime.fromisoformat(text)


def _slug(text: str) -> str:
    if not re.fullmatch(_SLUG, text) or len(text) > 60:
        raise ValueError("write it in kebab-case, like 'churn-save-call', at most 60 characters")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise ValueError("a field's name is made of letters, digits and '_'")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(_PREFIX, text):
        raise ValueError("write 2 to 6 capital letters, like 'CSC'")
    return text


def _day(value: object) -> object:
    try:
        return value if isinstance(value, date) else iso_date(str(value))
    except ValueError:
        raise ValueError("write a date, like 2027-06-30") from None


def _cron(text: str) -> str:
    parts = text.lower().split()
    if len(parts) != 5:
        raise ValueError("write five cron fields, like '0 6 * * 1'")
    for part, (name, first, last, words) in zip(parts, _CRON_FIELDS, strict=True):
        if not all(_is_cron_item(item, first, last, words) for item in part.split(",")):
            example = f"{first}-{last}" + (f" or {words[0]}-{words[-1]}" if words else "")
            raise ValueError(f"{part!r} is no {name}; write '*', '*/2' or values of {example}")
    return text


def _is_cron_item(item: str, first: int, last: int, words: tuple[str, ...]) -> bool:
    """Whether one item of a cron field, such as ``*/5`` or ``mon-fri``, is in range."""
    match = re.fullmatch(r"(\*|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:/([1-9]\d?))?", item)
    if match is None:
        return False
    bounds = [_cron_number(each, first, words) for each in match.group(2, 3) if each]
    return all(each is not None and first <= each <= last for each in bounds)


def _cron_number(text: str, first: int, words: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return words.index(text) + first if text in words else None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("write an IANA time zone, like 'Europe/London' or 'UTC'") from None
    return text


def _spelt(pattern: str, **more: str) -> WithJsonSchema:
    """Return what an editor is told of a spelling that our own words judge."""
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


Slug = Annotated[str, AfterValidator(_slug), _spelt(rf"^(?=.{{1,60}}$){_SLUG}$")]
FieldName = Annotated[str, AfterValidator(_name), _spelt(f"^{_NAME}$")]
Prefix = Annotated[str, AfterValidator(_prefix), _spelt(f"^{_PREFIX}$")]
Cron = Annotated[str, AfterValidator(_cron), _spelt(r"^\s*\S+(\s+\S+){4}\s*$")]
Day = Annotated[date, BeforeValidator(_day), _spelt(f"^{_DATE}$", format="date")]
"""A date, never an instant and never a number."""
ZoneName = Annotated[str, AfterValidator(_zone)]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Reason = Annotated[str, Field(min_length=1, max_length=75)]
"""A choice in a list; Slack shows 75 characters of one."""
Template = Annotated[str, Field(min_length=1, max_length=1_000)]
"""Jinja2 over the declared fields."""
Expression = Annotated[str, Field(min_length=1, max_length=4_000)]
"""A SQL scalar expression in the DuckDB dialect over the declared fields."""


def _plain_value(value: object) -> object:
    if value is not None and not isinstance(value, bool | int | float | date | str):
        raise ValueError("write a number, a text, a date, true, false or null")
    return value.isoformat() if isinstance(value, date) else value


Value = Annotated[
    bool | int | float | str | None,
    PlainValidator(_plain_value, json_schema_input_type=bool | int | float | str | None),
]
"""A value as JSON has it; dates and instants in ISO form."""
