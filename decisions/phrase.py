"""Conditions as a person says them: ``risk is at least 80% and renewal on is missing``."""

from collections.abc import Mapping

from sqlglot import exp

from decisions.definition import FieldSpec
from decisions.template import Figure, is_currency, money, number, percent

_COMPARED = {
    exp.EQ: "is",
    exp.NEQ: "is not",
    exp.GT: "is above",
    exp.GTE: "is at least",
    exp.LT: "is below",
    exp.LTE: "is at most",
    exp.NullSafeEQ: "is",
    exp.NullSafeNEQ: "is not",
}
_DATED = {
    "is above": "is after",
    "is at least": "is on or after",
    "is below": "is before",
    "is at most": "is on or before",
}
_TURNED = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}


def phrase(condition: exp.Expr, fields: Mapping[str, FieldSpec]) -> str:
    """Return a condition in words; what has no words of its own stays as it is written.

    Args:
        condition: A checked tree.
        fields: What is declared of the columns.
    """
    return _Phrasing(fields).said(condition)


def label(name: str, fields: Mapping[str, FieldSpec]) -> str:
    """Return what people call a field, in the middle of a sentence."""
    spec = fields.get(name)
    if spec is None or not spec.label:
        return name.replace("_", " ").strip() or name
    first, rest = spec.label[:1], spec.label[1:]
    return first.lower() + rest if rest[:1].islower() or rest[:1] == " " else spec.label


class _Phrasing:
    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self._fields = fields

    def said(self, node: exp.Expr) -> str:
        """Return a condition in words."""
        said = self._joined(node)
        if said is None:
            said = self._tested(node)
        return self._comparison(node) if said is None else said

    def _joined(self, node: exp.Expr) -> str | None:
        match node:
            case exp.Paren():
                return self.said(node.this)
            case exp.And():
                return f"{self._part(node.this)} and {self._part(node.expression)}"
            case exp.Or():
                return f"{self.said(node.this)} or {self.said(node.expression)}"
            case exp.Not():
                return self._negated(node.this)
        return None

    def _tested(self, node: exp.Expr) -> str | None:
        match node:
            case exp.Between():
                ends = (self._value(node.args[end], node.this) for end in ("low", "high"))
                return f"{self._term(node.this)} is between {' and '.join(ends)}"
            case exp.In():
                values = [self._value(each, node.this) for each in node.expressions]
                return f"{self._term(node.this)} is {_listed(values)}"
            case exp.Is() if isinstance(node.expression, exp.Null):
                return f"{self._term(node.this)} is missing"
            case exp.Boolean():
                return "always" if node.this else "never"
            case exp.Column():
                return f"{self._term(node)} is true"
        return None

    def _part(self, node: exp.Expr) -> str:
        """Return one side of an AND; alternatives in it are set off."""
        inner = node.unnest()
        return f"({self.said(inner)})" if isinstance(inner, exp.Or) else self.said(inner)

    def _negated(self, node: exp.Expr) -> str:
        inner = node.unnest()
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return f"{self._term(inner.this)} is known"
        if isinstance(inner, exp.Column):
            return f"{self._term(inner)} is false"
        if isinstance(inner, exp.In | exp.Between):
            return self.said(inner).replace(" is ", " is not ", 1)
        return f"it is not so that {self.said(inner)}"

    def _comparison(self, node: exp.Expr) -> str:
        kind = type(node)
        if kind not in _COMPARED:
            return self._term(node)
        left, right = node.this, node.expression
        if isinstance(left, exp.Literal) and kind in _TURNED:
            left, right, kind = right, left, _TURNED[kind]
        verb = _COMPARED[kind]
        if _is_dated(right):
            verb = _DATED.get(verb, verb)
        return f"{self._term(left)} {verb} {self._value(right, left)}"

    def _term(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Column):
            return label(node.name, self._fields)
        return self._written(node)

    def _value(self, node: exp.Expr, beside: exp.Expr) -> str:
        """Return a constant as the field beside it is shown: in percent, in its currency."""
        node = node.unnest()
        if isinstance(node, exp.Literal) and not node.is_string:
            spec = self._fields.get(beside.name) if isinstance(beside, exp.Column) else None
            return _figure(node.name, spec)
        if isinstance(node, exp.Cast):
            return str(node.this.name)
        if isinstance(node, exp.CurrentDate):
            return "today"
        span = node.expression if isinstance(node, exp.Add | exp.Sub) else None
        if isinstance(span, exp.Interval) and isinstance(node.this, exp.CurrentDate):
            count, unit = span.this.name, span.args["unit"].name.lower().removesuffix("s")
            length = f"{count} {unit}{'' if count == '1' else 's'}"
            return f"{length} {'from today' if isinstance(node, exp.Add) else 'ago'}"
        return self._term(node)

    def _written(self, node: exp.Expr) -> str:
        copy = node.copy()
        for name in copy.find_all(exp.Identifier):
            name.set("quoted", False)
        return copy.sql("duckdb").replace("CURRENT_DATE", "today()")


def _figure(text: str, spec: FieldSpec | None) -> str:
    figure = Figure.of(text, spec.unit if spec else None)
    if spec is None:
        return number(figure, None)
    if is_currency(spec.unit):
        return money(figure)
    if (spec.min, spec.max, spec.unit) == (0, 1, None) and spec.type != "integer":
        return percent(figure)
    return f"{number(figure)} {spec.unit or ''}".rstrip()


def _is_dated(node: exp.Expr) -> bool:
    return node.find(exp.CurrentDate, exp.Cast) is not None


def _listed(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
