"""From a checked tree to its normal form; what no form could make equal everywhere is refused."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import cast

from sqlglot import exp

from decisions.rules.language import UNITS, Refusal
from decisions.rules.letters import lowered
from decisions.rules.term import COUNT, LARGEST_EXPONENT, Scale, Term, Type, term
from decisions.rules.typed import (
    alike,
    chosen_of,
    counted,
    day,
    double,
    instant,
    number,
    scale_of,
    widest,
)
from decisions.spelling import iso_date, iso_instant

_HEAVIEST = 20_000
_WIDEST = 300.0
"""Beyond this exponent, either way, a warehouse may end the query instead of rounding."""
_MOST_DAYS = 365_250
"""Of all intervals of an expression together: a thousand years."""
_PLAIN: Mapping[type[exp.Expr], tuple[str, Type]] = {
    exp.Not: ("not", "boolean"),
    exp.Lower: ("lower", "string"),
    exp.Upper: ("upper", "string"),
    exp.Trim: ("trim", "string"),
    exp.Length: ("length", "integer"),
    exp.Contains: ("contains", "boolean"),
    exp.StartsWith: ("starts_with", "boolean"),
    exp.EndsWith: ("ends_with", "boolean"),
    exp.DPipe: ("||", "string"),
}
_OF_DAYS = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Day: "day",
    exp.DayOfWeekIso: "isodow",
}
_OF_INSTANTS = {exp.Hour: "hour", exp.Minute: "minute"}
_COMPARED: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "is_not_distinct",
    exp.NullSafeNEQ: "is_distinct",
}
_CHOSEN = {exp.Least: "least", exp.Greatest: "greatest", exp.Coalesce: "coalesce"}
_TYPES: Mapping[exp.DType, Type] = {
    exp.DType.DOUBLE: "float",
    exp.DType.BIGINT: "integer",
    exp.DType.VARCHAR: "string",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMPTZ: "timestamp",
}


def normal(tree: exp.Expr) -> Term:
    """Return the normal form of a tree that the grammar has let through.

    Raises:
        Refusal: A number in it can grow or shrink beyond what every warehouse stores, intervals
            reach too far, or its SQL would grow out of proportion.
    """
    return _Normal().of(tree)


class _Normal:
    def __init__(self) -> None:
        self._days = 0

    def of(self, node: exp.Expr) -> Term:
        found = self._term(node)
        if found.weight > _HEAVIEST:
            raise Refusal(node, "this is too large once it is written out for a warehouse")
        small, large = found.scale or (0.0, 0.0)
        if large > _WIDEST or small < -_WIDEST:
            side = "beyond 1e300" if large > _WIDEST else "nearer to zero than 1e-300"
            reason = f"this can come out {side}, where warehouses no longer agree"
            raise Refusal(node, reason, "a column may be as large as 1e60; combine fewer of them")
        return found

    def _term(self, node: exp.Expr) -> Term:
        kind = type(node)
        if kind in _PLAIN:
            does, gives = _PLAIN[kind]
            return counted(does, gives, *self._children(node))
        if kind in _OF_DAYS:
            return counted(_OF_DAYS[kind], "integer", day(self.of(node.this)))
        if kind in _OF_INSTANTS:
            return counted(_OF_INSTANTS[kind], "integer", instant(self.of(node.this)))
        if kind in _COMPARED:
            return term(_COMPARED[kind], "boolean", *alike(self._children(node)))
        if kind in _CHOSEN:
            chosen = [self.of(node.this), *map(self.of, node.expressions)]
            return chosen_of(_CHOSEN[kind], chosen)
        return self._SPECIAL[kind](self, node)

    def _children(self, node: exp.Expr) -> list[Term]:
        return [self.of(node.args[key]) for key in ("this", "expression") if node.args.get(key)]

    def _column(self, node: exp.Expr) -> Term:
        wide = float(LARGEST_EXPONENT)
        gives = _TYPES[cast("exp.DataType", node.type).this]
        scales: Mapping[str, Scale] = {"float": (-wide, wide), "integer": COUNT}
        return term("column", gives, value=node.name, scale=scales.get(gives))

    def _literal(self, node: exp.Expr) -> Term:
        if node.is_string:
            return term("literal", "string", value=node.name)
        return number(int(node.name) if node.is_int else float(node.name))

    def _constant(self, node: exp.Expr) -> Term:
        if isinstance(node, exp.Null):
            return term("literal", "null")
        return term("literal", "boolean", value=bool(node.this))

    def _parentheses(self, node: exp.Expr) -> Term:
        return self.of(node.this)

    def _joined(self, node: exp.Expr) -> Term:
        """Return AND or OR with all its operands side by side, however long the chain."""
        kind, parts, ahead = type(node), list[Term](), [node]
        while ahead:
            each = ahead.pop()
            if type(each) is kind:
                ahead += [each.expression, each.this]
            else:
                parts.append(self.of(each))
        return term("and" if kind is exp.And else "or", "boolean", *parts)

    def _is(self, node: exp.Expr) -> Term:
        this = self.of(node.this)
        if isinstance(node.expression, exp.Null):
            return term("is_null", "boolean", this)
        wanted = this if node.expression.this else term("not", "boolean", this)
        return term("is_true", "boolean", wanted)

    def _between(self, node: exp.Expr) -> Term:
        bounds = [self.of(node.args[key]) for key in ("this", "low", "high")]
        return _negated(node, term("between", "boolean", *alike(bounds)))

    def _in(self, node: exp.Expr) -> Term:
        choices = [self.of(node.this), *map(self.of, node.expressions)]
        return _negated(node, term("in", "boolean", *alike(choices)))

    def _like(self, node: exp.Expr) -> Term:
        this, pattern = self.of(node.this), node.expression.name
        if isinstance(node, exp.ILike):
            this, pattern = term("lower", "string", this), lowered(pattern)
        return _negated(node, term("like", "boolean", this, value=pattern))

    def _sum(self, node: exp.Expr) -> Term:
        moment, span = node.this, node.expression
        if isinstance(moment, exp.Interval):
            moment, span = span, moment
        if isinstance(span, exp.Interval):
            return self._shifted(moment, span, 1 if isinstance(node, exp.Add) else -1)
        left, right = (double(each) for each in self._children(node))
        (a, b), (c, d) = scale_of(left), scale_of(right)
        does = "+" if isinstance(node, exp.Add) else "-"
        # Cancelling leaves no less than the last of 17 digits.
        return term(does, "float", left, right, scale=(min(a, c) - 17, max(b, d) + 0.31))

    def _shifted(self, moment: exp.Expr, span: exp.Interval, sign: int) -> Term:
        unit, days, count = UNITS[str(span.args["unit"].name).upper().removesuffix("S")]
        steps = int(span.this.name) * count
        self._days += math.ceil(steps * days)
        if self._days > _MOST_DAYS:
            raise Refusal(span, "intervals reach at most 1,000 years together")
        return term("shift", "timestamp", instant(self.of(moment)), value=(sign * steps, unit))

    def _product(self, node: exp.Expr) -> Term:
        left, right = (double(each) for each in self._children(node))
        (a, b), (c, d) = scale_of(left), scale_of(right)
        if isinstance(node, exp.Mul):
            return term("*", "float", left, right, scale=(a + c, b + d))
        return term("/", "float", left, right, scale=(a - d, b - c))

    def _negative(self, node: exp.Expr) -> Term:
        this = self.of(node.this)
        if this.does == "literal":
            return number(-cast("float", this.value))
        this = double(this)
        return term("negative", "float", this, scale=this.scale)

    def _magnitude(self, node: exp.Expr) -> Term:
        """Return a function that keeps a number's scale, or brings it nearer to one."""
        this = double(self.of(node.this))
        small, large = scale_of(this)
        if isinstance(node, exp.Abs):
            return term("abs", "float", this, scale=this.scale)
        if isinstance(node, exp.Sqrt):
            return term("sqrt", "float", this, scale=(small / 2, large / 2))
        if isinstance(node, exp.Sign):
            return counted("sign", "integer", this)
        does = "floor" if isinstance(node, exp.Floor) else "ceil"
        return term(does, "float", this, scale=(0.0, max(large, 0.0)))

    def _rounded(self, node: exp.Expr) -> Term:
        this = double(self.of(node.this))
        decimals = int(node.args["decimals"].name) if node.args.get("decimals") else 0
        scale = (-float(decimals), max(scale_of(this)[1] + decimals, 0.0))
        return term("round", "float", this, value=decimals, scale=scale)

    def _nullif(self, node: exp.Expr) -> Term:
        return chosen_of("nullif", self._children(node))

    def _part_of_text(self, node: exp.Expr) -> Term:
        this = self.of(node.this)
        if isinstance(node, exp.Substring):
            length = node.args.get("length")
            wanted = (int(node.args["start"].name), int(length.name) if length else None)
            return term("substr", "string", this, value=wanted)
        does = "left" if isinstance(node, exp.Left) else "right"
        return term(does, "string", this, value=int(node.expression.name))

    def _days_between(self, node: exp.Expr) -> Term:
        later, earlier = self._children(node)
        return counted("days", "integer", day(earlier), day(later))

    def _case(self, node: exp.Expr) -> Term:
        conditions, results = list[Term](), list[Term]()
        for branch in node.args["ifs"]:
            condition = self.of(branch.this)
            if node.this is not None:
                pair = alike([self.of(node.this), condition])
                condition = term("=", "boolean", *pair)
            conditions.append(condition)
            results.append(self.of(branch.args["true"]))
        default = node.args.get("default")
        results.append(self.of(default) if default else term("literal", "null"))
        results = alike(results)
        branches = [each for pair in zip(conditions, results, strict=False) for each in pair]
        scale = widest(results)
        return term("case", results[0].type, *branches, results[-1], scale=scale)

    def _moment(self, node: exp.Expr) -> Term:
        if node.args["to"].this == exp.DType.DATE:
            return term("literal", "date", value=iso_date(node.this.name))
        return term("literal", "timestamp", value=iso_instant(node.this.name).replace(tzinfo=UTC))

    def _today(self, _node: exp.Expr) -> Term:
        return term("today", "date")

    _SPECIAL: Mapping[type[exp.Expr], Callable[["_Normal", exp.Expr], Term]] = {
        exp.Column: _column,
        exp.Literal: _literal,
        exp.Boolean: _constant,
        exp.Null: _constant,
        exp.Paren: _parentheses,
        exp.And: _joined,
        exp.Or: _joined,
        exp.Is: _is,
        exp.Between: _between,
        exp.In: _in,
        exp.Like: _like,
        exp.ILike: _like,
        exp.Add: _sum,
        exp.Sub: _sum,
        exp.Mul: _product,
        exp.Div: _product,
        exp.Neg: _negative,
        exp.Abs: _magnitude,
        exp.Sqrt: _magnitude,
        exp.Sign: _magnitude,
        exp.Floor: _magnitude,
        exp.Ceil: _magnitude,
        exp.Round: _rounded,
        exp.Nullif: _nullif,
        exp.Left: _part_of_text,
        exp.Right: _part_of_text,
        exp.Substring: _part_of_text,
        exp.DateDiff: _days_between,
        exp.Case: _case,
        exp.Cast: _moment,
        exp.CurrentDate: _today,
    }


def _negated(node: exp.Expr, positive: Term) -> Term:
    return term("not", "boolean", positive) if node.args.get("negate") else positive
