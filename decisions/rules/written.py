"""A term as SQL: built from the tree alone, in the words of one dialect."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import cast

from decisions.rules.dialects import Dialect
from decisions.rules.term import Term

_ORDERING = frozenset({"<", "<=", ">", ">=", "between", "least", "greatest"})


def written(term: Term, dialect: Dialect, *, as_of: date) -> str:
    """Return a term as SQL.

    Args:
        term: The normal form of a checked expression.
        dialect: The warehouse's.
        as_of: What ``today()`` is.
    """
    return _Writing(dialect, as_of).of(term)


class _Writing:
    def __init__(self, dialect: Dialect, as_of: date) -> None:
        self._dialect, self._as_of = dialect, as_of

    def of(self, term: Term) -> str:
        special = self._SPECIAL.get(term.does)
        if special is not None:
            return special(self, term)
        parts = [self._in_order(term, part) for part in term.parts]
        return self._word(term.does, *parts, v=term.value)

    def _word(self, word: str, *parts: str, **about: object) -> str:
        return self._dialect.words[word].format(*parts, **self._dialect.types, **about)

    def _in_order(self, term: Term, part: Term) -> str:
        sql = self.of(part)
        ordering = term.does in _ORDERING and part.type == "string"
        return self._dialect.ordered.format(sql) if ordering else sql

    def _column(self, term: Term) -> str:
        return self._dialect.quoted(str(term.value))

    def _literal(self, term: Term) -> str:
        value = term.value
        if value is None:
            return f"CAST(NULL AS {self._dialect.types[term.type]})"
        if isinstance(value, str):
            return self._dialect.text(value)
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, float):
            return self._number(value)
        if isinstance(value, datetime):
            return self._word(
                "timestamp", v=self._dialect.text(f"{value:%Y-%m-%d %H:%M:%S.%f}+00:00")
            )
        return self._day(value) if isinstance(value, date) else str(value)

    def _number(self, value: float) -> str:
        # As a text: decimals of a literal would be stored in as many types as there are dialects.
        return f"CAST('{value!r}' AS {self._dialect.types['float']})"

    def _instant(self, at: datetime) -> str:
        return self._word("timestamp", v=self._dialect.text(f"{at:%Y-%m-%d %H:%M:%S.%f}+00:00"))

    def _day(self, day: date) -> str:
        return self._word("date", v=self._dialect.text(day.isoformat()))

    def _today(self, _term: Term) -> str:
        return self._day(self._as_of)

    def _joined(self, term: Term) -> str:
        return "(" + f" {term.does.upper()} ".join(map(self.of, term.parts)) + ")"

    def _in(self, term: Term) -> str:
        this, *choices = map(self.of, term.parts)
        return f"({this} IN ({', '.join(choices)}))"

    def _listed(self, term: Term) -> str:
        parts = ", ".join(self._in_order(term, part) for part in term.parts)
        return self._word(f"listed_{term.does}", all=parts)

    def _case(self, term: Term) -> str:
        *branches, default = map(self.of, term.parts)
        pairs = zip(branches[::2], branches[1::2], strict=True)
        whens = " ".join(f"WHEN {condition} THEN {result}" for condition, result in pairs)
        return f"CASE {whens} ELSE {default} END"

    def _like(self, term: Term) -> str:
        pattern = self._dialect.text(self._dialect.pattern(str(term.value)))
        return self._word("like", self.of(term.parts[0]), v=pattern)

    def _rounded(self, term: Term) -> str:
        this, decimals = self.of(term.parts[0]), cast("int", term.value)
        power = self._number(10.0**decimals)
        size = f"ABS({this})" if decimals == 0 else f"ABS({this}) * {power}"
        whole = self._word("floor", f"({size} + {self._number(0.5)})")
        return f"(SIGN({this}) * {whole}" + (f" / {power})" if decimals else ")")

    def _substr(self, term: Term) -> str:
        start, length = cast("tuple[int, int | None]", term.value)
        until = "" if length is None else f", {length}"
        return f"SUBSTR({self.of(term.parts[0])}, {start}{until})"

    def _shifted(self, term: Term) -> str:
        count, unit = cast("tuple[int, str]", term.value)
        word = "later" if count >= 0 else "earlier"
        return self._word(word, self.of(term.parts[0]), v=abs(count), unit=unit)

    _SPECIAL: Mapping[str, Callable[["_Writing", Term], str]] = {
        "column": _column,
        "literal": _literal,
        "today": _today,
        "and": _joined,
        "or": _joined,
        "in": _in,
        "least": _listed,
        "greatest": _listed,
        "coalesce": _listed,
        "case": _case,
        "like": _like,
        "round": _rounded,
        "substr": _substr,
        "shift": _shifted,
    }
