"""Templates of a definition: Jinja2 reduced to names, our filters, comparisons and ``if``.

Nothing in them can loop, call, calculate or reach inside a value, so that a template's cost is
bounded by its own length and that of the values it names. Texts are plain, not escaped.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from decisions.definition import FieldSpec
from decisions.suggestions import choices, cut

LONGEST_TEXT = 3_000
"""Characters of one rendered text; what is longer is cut, and says so."""
NOT_KNOWN = "not known"

_LOCALE = "en"
_OPENED_ON = " opened on"
"""Where a template's values keep the date of opening; no name can be spelt like this."""
_NODES = (
    nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Filter, nodes.Test,
    nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_WORDS = {"mul": "multiplication", "for": "loop", "getattr": "attribute", "getitem": "index"}
_NUMBERS = ("float", "integer", "decimal")
_DATES = ("date", "timestamp")


class Figure(Decimal):
    """A number that knows its unit.

    Attributes:
        unit: A currency code or any other unit, or None.
    """

    unit: str | None = None

    @classmethod
    def of(cls, number: object, unit: str | None = None) -> "Figure":
        """Return a figure for a number, or for its text as JSON has it."""
        figure = cls(str(number))
        figure.unit = unit
        return figure


def percent(share: Decimal | None, decimals: int | None = None) -> str:
    """Return a share of one in percent: 0.914 is 91%; below 10% with up to one decimal."""
    if share is None:
        return NOT_KNOWN
    from babel.numbers import format_percent

    places = f".{'0' * decimals}" if decimals else ".#" if decimals is None and share < 0.1 else ""
    return format_percent(share, f"#,##0{places.removesuffix('.')}%", locale=_LOCALE)


def money(amount: Decimal | None) -> str:
    """Return an amount in its field's currency; without cents where they do not matter."""
    if amount is None:
        return NOT_KNOWN
    from babel.numbers import format_currency

    unit = amount.unit if isinstance(amount, Figure) else None
    if unit is None or not is_currency(unit):
        return number(amount)
    if abs(amount) < 1_000 and amount != amount.to_integral_value():
        return format_currency(amount, unit, locale=_LOCALE)
    return format_currency(amount, unit, "¤#,##0", locale=_LOCALE, currency_digits=False)


def number(figure: Decimal | None, decimals: int | None = None) -> str:
    """Return a number with thousands separated, with up to two decimals unless told how many."""
    if figure is None:
        return NOT_KNOWN
    from babel.numbers import format_decimal

    places = ".##" if decimals is None else f".{'0' * decimals}" if decimals else ""
    return format_decimal(figure, f"#,##0{places}", locale=_LOCALE)


def day(moment: date | None) -> str:
    """Return a date, or the date of an instant, like 31 Dec 2026."""
    from babel.dates import format_date

    return NOT_KNOWN if moment is None else format_date(moment, "d MMM y", locale=_LOCALE)


def plain(value: object) -> object:
    """Return a value as it reads where a template names it without a filter."""
    match value:
        case None:
            return NOT_KNOWN
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return number(value)
        case datetime():
            from babel.dates import format_datetime

            return format_datetime(value, "d MMM y, HH:mm", locale=_LOCALE)
        case date():
            return day(value)
        case _:
            return value


def is_currency(unit: str | None) -> bool:
    """Whether a field's unit is a currency code such as USD."""
    from babel.numbers import list_currencies

    return unit is not None and unit in list_currencies()


@pass_context
def _days_from_now(context: Context, moment: date | None) -> int | str:
    if moment is None:
        return "an unknown number of"
    on = moment.date() if isinstance(moment, datetime) else moment
    opened_on: date = context[_OPENED_ON]
    return (on - opened_on).days


_FILTERS: Mapping[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    "percent": (percent, _NUMBERS),
    "money": (money, _NUMBERS),
    "number": (number, _NUMBERS),
    "date": (day, _DATES),
    "days_from_now": (_days_from_now, _DATES),
}
"""Each filter and the types of field it is for."""


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, finalize=plain
    )
    environment.globals.clear()
    environment.filters = {name: function for name, (function, _) in _FILTERS.items()}
    environment.tests = {"none": environment.tests["none"]}
    return environment


_ENVIRONMENT = _environment()


def rendered(text: str, values: Mapping[str, Any], *, opened_on: date) -> str:
    """Return a template filled in, on one line.

    Args:
        text: The template.
        values: What it may name: figures, dates, aware instants in the reader's zone, booleans,
            strings and None.
        opened_on: The date that ``days_from_now`` counts from.

    Raises:
        ValueError: The text is not a template that definitions may use.
        TemplateError: It names something that has no value.
    """
    filled = _compiled(text).render({**values, _OPENED_ON: opened_on})
    return cut(" ".join(filled.split()), LONGEST_TEXT)


def faults(text: str, fields: Mapping[str, FieldSpec]) -> Iterator[str]:
    """Yield what is wrong with a template before it meets any value.

    Args:
        text: The template.
        fields: What it may name.
    """
    try:
        found = list(_ENVIRONMENT.parse(text).find_all(nodes.Node))
    except TemplateSyntaxError as error:
        yield f"not a template: {(error.message or 'unreadable').rstrip('.')}"
        return
    except RecursionError:
        yield "not a template: nested too deeply"
        return
    if forbidden := list(_forbidden(found)):
        yield from forbidden
        return
    for node in found:
        if isinstance(node, nodes.Name) and node.name not in fields:
            yield f"unknown field {node.name!r} in a template; {choices(node.name, fields)}"
        elif isinstance(node, nodes.Filter) and isinstance(node.node, nodes.Name):
            spec, takes = fields.get(node.node.name), _FILTERS.get(node.name, (None, ()))[1]
            if spec and takes and spec.type not in takes:
                what = "numbers" if takes == _NUMBERS else "dates"
                yield f"the filter {node.name!r} is for {what}; {node.node.name} is a {spec.type}"


def _forbidden(found: list[nodes.Node]) -> Iterator[str]:
    for node in found:
        if not isinstance(node, _NODES):
            name = type(node).__name__.lower()
            what = _WORDS.get(name, name)
            yield f"a template has names, filters, comparisons and if, but no {what}"
        elif isinstance(node, nodes.Test) and node.name != "none":
            yield f"unknown test {node.name!r} in a template; there is 'none'"
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            yield f"unknown filter {node.name!r} in a template; {choices(node.name, _FILTERS)}"
        elif isinstance(node, nodes.Filter) and not _plain_arguments(node):
            yield f"the filter {node.name!r} takes at most a number of decimals, 0 to 6"


def _plain_arguments(node: nodes.Filter) -> bool:
    if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > 1:
        return False
    values = [each.value if isinstance(each, nodes.Const) else None for each in node.args]
    takes_decimals = node.name in {"percent", "number"}
    return all(takes_decimals and type(each) is int and 0 <= each <= 6 for each in values)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    for fault in _forbidden(list(_ENVIRONMENT.parse(text).find_all(nodes.Node))):
        raise ValueError(fault)
    return _ENVIRONMENT.from_string(text)
