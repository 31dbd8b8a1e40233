"""Amounts with their unit, as people write them in a definition: ``4 working hours``, ``10%``."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Unit = Literal["minute", "hour", "day", "week"]

_UNITS: dict[str, Unit] = {
    "m": "minute", "min": "minute", "minute": "minute", "minutes": "minute",
    "h": "hour", "hour": "hour", "hours": "hour",
    "d": "day", "day": "day", "days": "day",
    "w": "week", "week": "week", "weeks": "week",
}  # fmt: skip
_COUNT = r"([0-9]{1,9})"
_ELAPSED = rf"{_COUNT}\s*({'|'.join(_UNITS)})"
_WORKING = rf"{_COUNT}\s*working\s+(h|hours?|d|days?)"
_PERCENT = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%"
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,9})?)"
_MOST_UNITS = 10_000
"""A longer span is a slip of the pen; the calendar ends somewhere."""
_LENGTH = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}


class _Written(ABC):
    """A value with one written form, read from and dumped to text."""

    pattern = ""
    example = ""

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the written form.

        Raises:
            ValueError: The text is not of the form; the message shows one that is.
        """
        if isinstance(text, cls):
            return text
        match = re.fullmatch(cls.pattern, text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"write it like {cls.example}")
        return cls._read(match)

    @classmethod
    @abstractmethod
    def _read(cls, match: re.Match[str]) -> Self:
        """Return the value of a text that has the form."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        examples = re.findall(r"'([^']+)'", cls.example)
        return {"type": "string", "pattern": f"^(?:{cls.pattern})$", "examples": examples}


@dataclass(frozen=True, slots=True)
class Span(_Written):
    """A length of time, elapsed or counted in somebody's working hours.

    Attributes:
        count: How many units; at least 1.
        unit: What is counted.
        working: Whether only the person's working time counts.
    """

    pattern = rf"{_COUNT}\s*(working\s+)?([a-z]+)"
    example = "'4h', '4 working hours' or '2 working days'"

    count: int
    unit: Unit
    working: bool = False

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = super(Span, cls).__get_pydantic_json_schema__(schema, handler)
        return described | {"pattern": f"^({_ELAPSED}|{_WORKING})$"}

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        count, working, unit = int(match[1]), bool(match[2]), _UNITS.get(match[3])
        if unit is None or (working and unit in {"minute", "week"}):
            raise ValueError(f"write it like {cls.example}")
        if not 1 <= count <= _MOST_UNITS:
            raise ValueError(f"write 1 to {_MOST_UNITS:,} {unit}s")
        return cls(count, unit, working)

    @property
    def elapsed(self) -> timedelta:
        """The span as elapsed time.

        Raises:
            ValueError: It is counted in working time, whose length depends on the person.
        """
        if self.working:
            raise ValueError(f"{self} is working time; its length depends on whose")
        return self.count * _LENGTH[self.unit]

    def __str__(self) -> str:
        plural = "s" if self.count != 1 else ""
        return f"{self.count} {'working ' if self.working else ''}{self.unit}{plural}"


def _elapsed_only(span: Span) -> Span:
    if span.working:
        raise ValueError("only elapsed time is allowed here, like '4h' or '30d'")
    return span


ElapsedSpan = Annotated[
    Span,
    BeforeValidator(lambda text: _elapsed_only(Span.parse(text))),
    WithJsonSchema({"type": "string", "pattern": f"^({_ELAPSED})$", "examples": ["4h", "30d"]}),
]
"""A span of elapsed time; working time is refused."""


@dataclass(frozen=True, slots=True)
class Rate(_Written):
    """So many per length of elapsed time.

    Attributes:
        count: The most there may be within one ``per``; at least 1.
        per: The length of time.
    """

    pattern = rf"{_COUNT}\s+per\s+(?:{_COUNT}\s*)?([a-z]+)"
    example = "'8 per day' or '1 per 30d'"

    count: int
    per: Span

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        if match[3] not in _UNITS or int(match[1]) < 1:
            raise ValueError(f"write it like {cls.example}")
        return cls(int(match[1]), Span.parse(f"{match[2] or 1} {match[3]}"))

    def __str__(self) -> str:
        per = self.per.unit if self.per.count == 1 else str(self.per)
        return f"{self.count} per {per}"


@dataclass(frozen=True, slots=True)
class Share(_Written):
    """A part of a whole, written in percent.

    Attributes:
        of_one: The share, 0 to 1.
    """

    pattern = _PERCENT
    example = "'10%'"

    of_one: float

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        percent = Decimal(match[1])
        if percent > 100:
            raise ValueError("a share is at most '100%'")
        return cls(float(percent / 100))

    def __str__(self) -> str:
        return f"{Decimal(str(self.of_one)) * 100:f}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True, slots=True)
class Amount(_Written):
    """So much of a currency or of any other unit.

    Attributes:
        size: How much; 0 or more.
        unit: Of what, such as USD.
    """

    pattern = rf"{_NUMBER}\s+([A-Za-z][A-Za-z/]{{0,19}})"
    example = "'40 USD'"

    size: float
    unit: str

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        return cls(float(match[1]), match[2])

    def __str__(self) -> str:
        return f"{_plain(self.size)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Budget(_Written):
    """So much of a unit per calendar month.

    Attributes:
        size: How much; above 0.
        unit: Of what, such as USD.
    """

    pattern = rf"{_NUMBER}\s+([A-Za-z][A-Za-z/]{{0,19}})\s+per\s+month"
    example = "'300 USD per month'"

    size: Decimal
    unit: str

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        if not Decimal(match[1]):
            raise ValueError("a budget is above 0")
        return cls(Decimal(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.size:f} {self.unit} per month"


@dataclass(frozen=True, slots=True)
class Difference(_Written):
    """How far two means lie apart: of rates in percentage points, else in the measure's unit.

    Attributes:
        size: The difference in the measure's unit, above 0; 0.04 for 4 points.
        in_points: Whether it is written in percentage points.
    """

    pattern = rf"{_NUMBER}(?:\s*(points?))?"
    example = "'4 points', or '12.5' in the measure's unit"

    size: float
    in_points: bool = False

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the written form; a plain number is in the measure's unit."""
        if isinstance(text, int | float) and not isinstance(text, bool):
            text = f"{text:.9f}"
        return super(Difference, cls).parse(text)

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        size = Decimal(match[1]) / (100 if match[2] else 1)
        if not size:
            raise ValueError("a difference worth having is above 0")
        if match[2] and size > 1:
            raise ValueError("two rates lie at most '100 points' apart")
        return cls(float(size), in_points=bool(match[2]))

    def __str__(self) -> str:
        return f"{_plain(self.size * 100)} points" if self.in_points else _plain(self.size)


@dataclass(frozen=True, slots=True)
class RowBound(_Written):
    """A bound on a batch's row count: fixed, or relative to the batches before it.

    Attributes:
        share: Factor on the median of earlier row counts, or None for a fixed bound.
        runs: How many earlier runs the median is taken over; 0 for a fixed bound.
        fixed: The bound itself in rows, or None for a relative one.
    """

    pattern = rf"{_PERCENT}\s+of\s+median\s+{_COUNT}\s+runs?|{_COUNT}"
    example = "'1000' or '80% of median 7 runs'"

    share: float | None = None
    runs: int = 0
    fixed: int | None = None

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the written form; a plain whole number is a fixed bound."""
        if isinstance(text, int) and not isinstance(text, bool):
            text = str(text)
        return super(RowBound, cls).parse(text)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = super(RowBound, cls).__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [written, {"type": "integer", "minimum": 0}]}

    @classmethod
    def _read(cls, match: re.Match[str]) -> Self:
        if match[3] is not None:
            return cls(fixed=int(match[3]))
        if not 1 <= int(match[2]) <= 100:
            raise ValueError("take the median of 1 to 100 runs")
        return cls(share=float(Decimal(match[1]) / 100), runs=int(match[2]))

    def __str__(self) -> str:
        if self.share is None:
            return str(self.fixed)
        return f"{Decimal(str(self.share)) * 100:f}".rstrip("0").rstrip(".") + (
            f"% of median {self.runs} runs"
        )


def _plain(number: float) -> str:
    """Return a number as a person would write it: no exponent, no trailing zeros."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def _nulls(text: object) -> Share | Literal["allowed"]:
    if text == "allowed":
        return "allowed"
    try:
        return Share.parse(text)
    except ValueError:
        raise ValueError("write it like '5%' or 'allowed'") from None


Nulls = Annotated[
    Share | Literal["allowed"],
    PlainValidator(_nulls),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^({_PERCENT}|allowed)$", "examples": ["5%", "allowed"]}
    ),
]
"""The share of rows in which a field may be missing, or ``allowed``."""
