"""Whether a parsed expression is of the rule language, and what kind of value it has."""

import math
import re
from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from decisions.definition import FieldSpec
from decisions.rules.language import (
    COLUMN_TYPES,
    FUNCTION_NAMES,
    FUNCTIONS,
    HARMLESS,
    INSTEAD,
    KIND_OF_TYPE,
    MOMENT,
    MOMENTS,
    OPERATORS,
    UNITS,
    WORDS,
    Kind,
    Refusal,
    Word,
    described,
)
from decisions.suggestions import choices

_MATCHING = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In)
_OUTSIDE = "this is not part of the rule language"
_INSIDE = "it has columns, literals, + - * /, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE and CASE"


class Grammar:
    """The rule language over the columns of one definition.

    Args:
        fields: The columns an expression may use, by exact name.
        text: The expression as written, to quote from.
    """

    def __init__(self, fields: Mapping[str, FieldSpec], text: str) -> None:
        self._fields, self._text = fields, text

    def kind(self, node: exp.Expr) -> Kind:
        """Return the kind of a node's value.

        Raises:
            Refusal: A part is not of the language, or its operands are of the wrong kind.
        """
        special = self._SPECIAL.get(type(node))
        if special is not None:
            return special(self, node)
        word = WORDS.get(type(node))
        if word is None:
            raise self._unknown(node)
        return self._word(word, node)

    def _word(self, word: Word, node: exp.Expr, *besides: str) -> Kind:
        """Return the kind an operator or function gives, once its operands are of theirs."""
        _refuse_parts_other_than(node, {*word.takes, *besides}, word.written)
        kinds: list[Kind] = []
        for place, allowed in word.takes.items():
            for operand in _operands(node, place):
                kind = self.kind(operand)
                if kind not in allowed:
                    raise _wrong_kind(word, operand, kind, allowed)
                kinds.append(kind)
        together = _together(node, kinds) if word.alike else None
        if isinstance(node, _MATCHING):
            operands = [each for place in word.takes for each in _operands(node, place)]
            self._refuse_what_never_is(operands)
        return word.gives or together or "null"

    def _refuse_what_never_is(self, operands: list[exp.Expr]) -> None:
        """Refuse a value beside a column that its declaration does not allow."""
        for column in (each.name for each in operands if isinstance(each, exp.Column)):
            allowed = self._fields[column].allowed
            for each in operands if allowed else ():
                value = literal_value(each)
                if allowed and value is not None and value not in allowed:
                    advice = choices(str(value), map(str, allowed), verb="allowed are")
                    raise Refusal(each, f"{column} never is {value!r}", advice)

    def _unknown(self, node: exp.Expr) -> Refusal:
        if not isinstance(node, exp.Func) or isinstance(node, exp.Cast):
            return Refusal(node, _OUTSIDE, _INSIDE)
        start, end = node.meta.get("start"), node.meta.get("end")
        if start is None or end is None:
            return Refusal(node, _OUTSIDE, _INSIDE)
        name = self._text[start : end + 1].lower()
        advice = INSTEAD.get(name) or choices(name, FUNCTION_NAMES)
        return Refusal(node, f"the function {name!r} is not part of the rule language", advice)

    def _column(self, node: exp.Expr) -> Kind:
        _refuse_parts_other_than(node, {"this"}, "a column with the name of a table")
        if not isinstance(node.this, exp.Identifier):
            raise Refusal(node, _OUTSIDE, _INSIDE)
        if node.name not in self._fields:
            advice = choices(node.name, self._fields)
            raise Refusal(node, f"unknown column {node.name!r}", advice)
        declared = self._fields[node.name].type
        node.type = COLUMN_TYPES[declared]
        return KIND_OF_TYPE[declared]

    def _literal(self, node: exp.Expr) -> Kind:
        if node.is_string:
            return "string"
        if len(node.name) > 30 or not math.isfinite(float(node.name)):
            raise Refusal(node, f"the number {node.name[:40]} cannot be stored exactly enough")
        return "number"

    def _parentheses(self, node: exp.Expr) -> Kind:
        return self.kind(node.this)

    def _constant(self, node: exp.Expr) -> Kind:
        return "boolean" if isinstance(node, exp.Boolean) else "null"

    def _is(self, node: exp.Expr) -> Kind:
        kind = self.kind(node.this)
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise Refusal(node, "IS is followed by NULL, TRUE or FALSE", "write = to compare")
        if isinstance(node.expression, exp.Boolean) and kind != "boolean":
            raise Refusal(node.this, f"IS TRUE takes a condition, not {described(kind)}")
        return "boolean"

    def _in(self, node: exp.Expr) -> Kind:
        kind = self._word(OPERATORS[exp.In], node)
        if not node.expressions:
            raise Refusal(node, "IN () holds nothing", "list at least one value")
        return kind

    def _plus_or_minus(self, node: exp.Expr) -> Kind:
        left, right = self.kind(node.this), self.kind(node.expression)
        adds = isinstance(node, exp.Add)
        if left == right == "number":
            return "number"
        if left in MOMENT and right == "interval":
            return "timestamp"
        if adds and left == "interval" and right in MOMENT:
            return "timestamp"
        advice = None
        if left in MOMENT and right == "number":
            advice = "write the days as INTERVAL 90 DAY"
        elif not adds and left in MOMENT and right in MOMENT:
            advice = "write date_diff('day', a, b) for the days from a to b"
        what = f"cannot {'add' if adds else 'subtract'} {described(left)} and {described(right)}"
        raise Refusal(node, what, advice)

    def _case(self, node: exp.Expr) -> Kind:
        _refuse_parts_other_than(node, {"this", "ifs", "default"}, "CASE")
        compared = [self.kind(node.this)] if node.this else []
        default = node.args.get("default")
        results = [self.kind(default)] if default else []
        for branch in node.args["ifs"]:
            condition = self.kind(branch.this)
            if not node.this and condition != "boolean":
                raise Refusal(branch.this, f"WHEN takes a condition, not {described(condition)}")
            if node.this:
                compared.append(condition)
            results.append(self.kind(branch.args["true"]))
        if "null" in compared:
            raise Refusal(node, "nothing is equal to NULL", "write CASE WHEN … IS NULL THEN …")
        _together(node, compared)
        if node.this:
            self._refuse_what_never_is([node.this, *(each.this for each in node.args["ifs"])])
        return _together(node, results)

    def _cast(self, node: exp.Expr) -> Kind:
        moment = MOMENTS.get(node.args["to"].this)
        literal = node.this
        if moment is None or not isinstance(literal, exp.Literal) or not literal.is_string:
            raise Refusal(node, "a cast is not part of the rule language", "declare the right type")
        kind, read, example = moment
        try:
            read(literal.name)
        except ValueError:
            raise Refusal(literal, f"{literal.name!r} is no {kind}", f"write {example}") from None
        return kind

    def _interval(self, node: exp.Expr) -> Kind:
        unit, count = node.args.get("unit"), node.this
        if (
            not isinstance(count, exp.Literal)
            or not re.fullmatch(r"\d{1,6}", count.name)
            or not isinstance(unit, exp.Var)
            or unit.name.upper().removesuffix("S") not in UNITS
        ):
            raise Refusal(node, "an interval is a whole number and a unit", "write INTERVAL 90 DAY")
        return "interval"

    def _rounded(self, node: exp.Expr) -> Kind:
        decimals = node.args.get("decimals")
        if decimals is not None and _whole_number(decimals) not in range(16):
            reason = "round() takes a whole number of decimals, at most 15"
            raise Refusal(decimals, reason, "write round(x, 2)")
        return self._word(FUNCTIONS[exp.Round], node)

    def _part_of_text(self, node: exp.Expr) -> Kind:
        word = FUNCTIONS[type(node)]
        for place, least in (("start", 1), ("length", 0), ("expression", 0)):
            count = node.args.get(place)
            if count is not None and _whole_number(count) not in range(least, 100_000):
                reason = f"{word.written} takes a whole number from {least} here"
                raise Refusal(count, reason, "places are counted from 1, lengths from 0")
        return self._word(word, node)

    def _pattern(self, node: exp.Expr) -> Kind:
        kind = self._word(OPERATORS[type(node)], node)
        if not isinstance(node.expression, exp.Literal):
            advice = "write contains(), starts_with() or ends_with()"
            raise Refusal(node.expression, "a pattern is written out, in quotation marks", advice)
        return kind

    def _days_between(self, node: exp.Expr) -> Kind:
        unit = node.args.get("unit")
        if unit is None or unit.name.upper() != "DAY":
            raise Refusal(node, "date_diff() counts days", "write date_diff('day', a, b)")
        return self._word(FUNCTIONS[exp.DateDiff], node, "unit")

    _SPECIAL: Mapping[type[exp.Expr], Callable[["Grammar", exp.Expr], Kind]] = {
        exp.Column: _column,
        exp.Literal: _literal,
        exp.Boolean: _constant,
        exp.Null: _constant,
        exp.Paren: _parentheses,
        exp.Is: _is,
        exp.In: _in,
        exp.Add: _plus_or_minus,
        exp.Sub: _plus_or_minus,
        exp.Case: _case,
        exp.Cast: _cast,
        exp.Interval: _interval,
        exp.Round: _rounded,
        exp.Left: _part_of_text,
        exp.Right: _part_of_text,
        exp.Substring: _part_of_text,
        exp.Like: _pattern,
        exp.ILike: _pattern,
        exp.DateDiff: _days_between,
    }


def _whole_number(node: exp.Expr) -> int | None:
    return int(node.name) if isinstance(node, exp.Literal) and node.is_int else None


def literal_value(node: exp.Expr) -> str | float | bool | None:
    """Return the value that is written here, a date as its text; None where none is."""
    if isinstance(node, exp.Paren | exp.Cast):
        return literal_value(node.this)
    if isinstance(node, exp.Neg):
        value = literal_value(node.this)
        return -value if isinstance(value, int | float) else None
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.name
        return int(node.name) if node.is_int else float(node.name)
    return None


def _operands(node: exp.Expr, place: str) -> list[exp.Expr]:
    operand = node.args.get(place)
    if isinstance(operand, list):
        return operand
    return [] if operand is None else [operand]


def _refuse_parts_other_than(node: exp.Expr, places: set[str], written: str) -> None:
    for place, part in node.args.items():
        if part and place not in places and place not in HARMLESS:
            raise Refusal(node, f"{written} is written in a way the rule language does not have")


def _together(node: exp.Expr, kinds: Iterable[Kind]) -> Kind:
    """Return the one kind that operands have in common; dates become timestamps beside them."""
    found = sorted(set(kinds) - {"null"})
    if not found:
        return "null"
    if found == ["date", "timestamp"]:
        return "timestamp"
    if len(found) > 1:
        advice = None
        if "string" in found and MOMENT & set(found):
            advice = "write a literal as " + " or ".join(each for _, _, each in MOMENTS.values())
        pair = f"{described(found[0])} with {described(found[1])}"
        raise Refusal(node, f"cannot put together {pair}", advice)
    return found[0]


def _wrong_kind(word: Word, operand: exp.Expr, kind: Kind, allowed: frozenset[Kind]) -> Refusal:
    if kind == "null":
        advice = "write IS NULL or IS NOT NULL" if word.alike else None
        return Refusal(operand, f"{word.written} with NULL is always NULL", advice)
    wanted = " or ".join(sorted(described(each) for each in allowed))
    return Refusal(operand, f"{word.written} takes {wanted}, not {described(kind)}")
