"""Numbers as a reader meets them; the same words on the page, in Markdown and in a verdict."""

from datetime import date, datetime
from math import ceil

from decisions.effectiveness.effect import ArmEstimate, Effect, Interval

MINUS = "\N{MINUS SIGN}"


def count(number: float) -> str:
    """Return a whole number with thousands separated."""
    return f"{number:,.0f}".replace("-", MINUS)


def percent(share: float) -> str:
    """Return a share, 0 to 1, in percent; below one percent with a second decimal."""
    return f"{_decimal(share * 100)}%"


def share(declared: float) -> str:
    """Return a declared share, 0 to 1, in percent as it was written: no decimals of ours."""
    return f"{declared * 100:.10g}%"


def size(difference: float) -> str:
    """Return the size of a difference of shares in percentage points, without a sign."""
    return _decimal(abs(difference) * 100)


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return _signed(_decimal(difference * 100))


def number(value: float) -> str:
    """Return a quantity with two decimals, or none from a hundred on."""
    return f"{value:,.{0 if abs(value) >= 100 else 2}f}".replace("-", MINUS)


def out_of(part: float, whole: int) -> str:
    """Return a count with what it is a part of, and its share where there is one."""
    return f"{count(part)} of {count(whole)}" + (f" ({percent(part / whole)})" if whole else "")


def amount(value: float, unit: str | None) -> str:
    """Return an estimated amount with its unit, rounded to three significant digits."""
    rounded = count(float(f"{value:.3g}"))
    if unit is None:
        return rounded
    return f"{unit} {rounded}" if unit.isupper() else f"{rounded} {unit}"


def day(instant: date | datetime) -> str:
    """Return a date as 4 May 2027."""
    return f"{instant.day} {instant:%B %Y}"


def probability(p: float) -> str:
    """Return a p-value, cut off where further digits say nothing."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval(effect: Effect) -> str:
    """Return the ends of the difference's interval."""
    write = points if effect.scale == "rate" else _signed_number
    return f"{write(effect.difference.lower)} to {write(effect.difference.upper)}"


def difference(effect: Effect) -> str:
    """Return the difference with its unit."""
    if effect.scale == "rate":
        return f"{points(effect.difference.estimate)} points"
    return _signed_number(effect.difference.estimate)


def outcome(effect: Effect, arm: ArmEstimate, who: str) -> str:
    """Return an arm's mean outcome, never without the number of subjects behind it."""
    if effect.scale == "rate":
        return f"{percent(arm.estimate)} of {who} ({count(arm.total)} of {count(arm.count)})"
    return f"{number(arm.estimate)} on average for {who} ({count(arm.count)})"


def arm_interval(effect: Effect, arm: Interval) -> str:
    """Return the ends of an arm's own interval."""
    write = percent if effect.scale == "rate" else number
    return f"{write(arm.lower)} to {write(arm.upper)}"


def _decimal(value: float) -> str:
    small = 0 < abs(value) < 0.995
    return f"{value:.{2 if small else 1}f}".replace("-", MINUS)


def _signed(text: str) -> str:
    is_zero = not text.strip("0.,")
    return text if text.startswith(MINUS) or is_zero else f"+{text}"


def _signed_number(value: float) -> str:
    return _signed(number(value))


def capitalised(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return f"{text[0].upper()}{text[1:]}"


def look(label: str) -> str:
    """Return what a look is called: March 2027, or 17 March 2027."""
    if len(label) == len("2027-03"):
        return f"{date.fromisoformat(f'{label}-01'):%B %Y}"
    return day(date.fromisoformat(label))


def rounded(share: float, *, up: bool = False) -> str:
    """Return a computed share in whole percent, rounded up where it must be enough."""
    return f"{ceil(share * 100 - 1e-6) if up else round(share * 100)}%"
