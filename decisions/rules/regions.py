"""Conditions as regions: for which values of their terms they hold, do not, or are NULL.

What is no comparison of a term with constants is a term of its own that may be true, false or
NULL. So a region that proves empty is empty; one that does not may be.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import chain

from sqlglot import exp

from decisions.definition import FieldSpec
from decisions.rules.axes import Axis, Term
from decisions.rules.constants import Cut, constant, declared
from decisions.rules.language import KIND_OF_TYPE, MOMENT

_OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Answer(Enum):
    """What is asked of a condition in three-valued logic."""

    TRUE = "true"
    FALSE = "false"
    NOT_TRUE = "false or NULL"
    NOT_FALSE = "true or NULL"


_OPPOSITE = {
    Answer.TRUE: Answer.FALSE,
    Answer.FALSE: Answer.TRUE,
    Answer.NOT_TRUE: Answer.NOT_FALSE,
    Answer.NOT_FALSE: Answer.NOT_TRUE,
}


@dataclass(frozen=True, slots=True)
class Among:
    """One term lies in some of its cells."""

    key: str
    cells: int


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts that is always so."""

    parts: tuple["Region", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds; without parts that is never so."""

    parts: tuple["Region", ...]


Region = Among | All | Either


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A term compared with constants: when it is true, and what NULL makes of it.

    Attributes:
        term: The term.
        pairs: Operator and constant; one that fits is enough.
        negated: Whether what fits makes it false.
        known: Whether it is true or false of NULL, too, as IS DISTINCT FROM is.
        fits_null: Whether NULL fits.
    """

    term: Term
    pairs: tuple[tuple[str, Cut], ...]
    negated: bool = False
    known: bool = False
    fits_null: bool = False


class Regions:
    """The terms of some conditions and the regions in which they hold.

    Attributes:
        axes: Every term's cells, by key.

    Args:
        conditions: Checked trees; their identifiers get quoted in place.
        fields: What is declared of the columns.
        guarded: The columns whose declaration a batch is held against before it is judged.
    """

    def __init__(
        self,
        conditions: Iterable[exp.Expr],
        fields: Mapping[str, FieldSpec],
        guarded: Mapping[str, FieldSpec],
    ) -> None:
        self._fields = fields
        terms: dict[str, Term] = {}
        cuts: dict[str, set[Cut]] = {}
        for condition in conditions:
            for name in condition.find_all(exp.Identifier):
                name.set("quoted", True)
            for found in self._comparisons(condition):
                terms[found.term.key] = found.term
                cuts.setdefault(found.term.key, set()).update(cut for _, cut in found.pairs)
        self.axes = {
            key: Axis(term, cuts[key] | _fixed(term, guarded), guarded.get(term.column or ""))
            for key, term in terms.items()
        }

    def where(self, node: exp.Expr, answer: Answer = Answer.TRUE) -> Region:
        """Return where a condition gives an answer."""
        if isinstance(node, exp.Paren | exp.Not):
            inner = _OPPOSITE[answer] if isinstance(node, exp.Not) else answer
            return self.where(node.this, inner)
        if isinstance(node, exp.And | exp.Or):
            parts = self.where(node.this, answer), self.where(node.expression, answer)
            together = isinstance(node, exp.And) == (answer in {Answer.TRUE, Answer.NOT_FALSE})
            return _flat(All if together else Either, parts)
        if isinstance(node, exp.Between):
            return self.where(_both_ends(node), answer)
        if isinstance(node, exp.Boolean):
            return All(()) if bool(node.this) == (answer in _POSITIVE) else Either(())
        if isinstance(node, exp.Is) and self._is_condition(node.this):
            return self._known(node, answer)
        return self._cells(self._comparison(node), answer)

    def _known(self, node: exp.Is, answer: Answer) -> Region:
        """Return where IS TRUE, IS FALSE or IS NULL of a condition holds, or does not."""
        inner, asked = node.this, node.expression
        if isinstance(asked, exp.Null):
            if answer in _POSITIVE:
                wanted = (Answer.NOT_TRUE, Answer.NOT_FALSE)
                return All(tuple(self.where(inner, each) for each in wanted))
            return Either(tuple(self.where(inner, each) for each in (Answer.TRUE, Answer.FALSE)))
        if answer in _POSITIVE:
            return self.where(inner, Answer.TRUE if asked.this else Answer.FALSE)
        return self.where(inner, Answer.NOT_TRUE if asked.this else Answer.NOT_FALSE)

    def _cells(self, found: _Comparison, answer: Answer) -> Among:
        axis = self.axes[found.term.key]
        fitting = axis.null if found.fits_null else 0
        for operator, cut in found.pairs:
            fitting |= axis.among(operator, cut)
        null = 0 if found.known else axis.null
        true = (axis.everything ^ null ^ fitting) if found.negated else fitting
        false = axis.everything ^ null ^ true
        cells = {
            Answer.TRUE: true,
            Answer.FALSE: false,
            Answer.NOT_TRUE: axis.everything ^ true,
            Answer.NOT_FALSE: axis.everything ^ false,
        }
        return Among(found.term.key, cells[answer])

    def _comparisons(self, node: exp.Expr) -> Iterator[_Comparison]:
        """Yield every comparison in a condition, as ``where`` will meet it."""
        if isinstance(node, exp.Between):
            node = _both_ends(node)
        if isinstance(node, exp.Paren | exp.Not) or (
            isinstance(node, exp.Is) and self._is_condition(node.this)
        ):
            yield from self._comparisons(node.this)
        elif isinstance(node, exp.And | exp.Or):
            yield from self._comparisons(node.this)
            yield from self._comparisons(node.expression)
        elif not isinstance(node, exp.Boolean):
            yield self._comparison(node)

    def _is_condition(self, node: exp.Expr) -> bool:
        """Whether a node's truth is looked into; a boolean column's NULL is one of its cells."""
        inner = node.unnest()
        logical = exp.And | exp.Or | exp.Not | exp.Is | exp.Between | exp.In
        return isinstance(inner, logical | exp.Boolean) or type(inner) in _COMPARING

    def _comparison(self, node: exp.Expr) -> _Comparison:
        found = self._compared(node)
        if found is not None:
            return found
        # Whatever it is, it is true, false or NULL.
        column = node.name if isinstance(node, exp.Column) else None
        return _Comparison(Term(node.sql("duckdb"), "boolean", column), (("=", Fraction(1)),))

    def _compared(self, node: exp.Expr) -> _Comparison | None:
        if isinstance(node, exp.Is):
            return self._is(node)
        if isinstance(node, exp.In):
            values = [constant(each) for each in node.expressions]
            term = self._term(node.this, values)
            equal = tuple(("=", value[1]) for value in values if value)
            return _Comparison(term, equal) if term else None
        return self._binary(node) if type(node) in _COMPARING else None

    def _binary(self, node: exp.Expr) -> _Comparison | None:
        operator, sides = _OPERATORS.get(type(node), "="), (node.this, node.expression)
        if constant(node.this):
            operator, sides = _TURNED.get(operator, operator), (node.expression, node.this)
        value = constant(sides[1])
        term = self._term(sides[0], [value])
        # The order of texts is the warehouse's own affair.
        if term is None or value is None or (operator != "=" and term.kind in _UNORDERED):
            return None
        return _Comparison(
            term,
            ((operator, value[1]),),
            negated=isinstance(node, exp.NEQ | exp.NullSafeNEQ),
            known=isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ),
        )

    def _is(self, node: exp.Is) -> _Comparison | None:
        inner = node.this.unnest()
        column = self._column_term(inner)
        if isinstance(node.expression, exp.Boolean):
            term = column or Term(inner.sql("duckdb"), "boolean")
            return _Comparison(term, (("=", Fraction(bool(node.expression.this))),), known=True)
        return _Comparison(column, (), known=True, fits_null=True) if column else None

    def _term(self, node: exp.Expr, values: Iterable[tuple[str, Cut] | None]) -> Term | None:
        """Return what stands opposite constants of one kind; None where it cannot be cut."""
        kinds = {value[0] if value else None for value in values}
        if len(kinds) != 1 or (kind := kinds.pop()) is None or constant(node) is not None:
            return None
        inner = node.unnest()
        found = self._column_term(inner) or Term(inner.sql("duckdb"), kind)
        if kind == "today":
            return Term(f"{found.key} - today()", "today", found.column, found.whole)
        return found if found.kind == kind else None

    def _column_term(self, node: exp.Expr) -> Term | None:
        if not isinstance(node, exp.Column):
            return None
        declared = self._fields[node.name].type
        kind = "moment" if KIND_OF_TYPE[declared] in MOMENT else KIND_OF_TYPE[declared]
        return Term(node.sql("duckdb"), kind, node.name, declared in {"integer", "date"})


_UNORDERED = frozenset({"string", "boolean"})
_POSITIVE = frozenset({Answer.TRUE, Answer.NOT_FALSE})
_COMPARING = frozenset({*_OPERATORS, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ})


def _both_ends(node: exp.Between) -> exp.And:
    low, high = node.args["low"].copy(), node.args["high"].copy()
    above = exp.GTE(this=node.this.copy(), expression=low)
    return exp.And(this=above, expression=exp.LTE(this=node.this.copy(), expression=high))


def _flat(kind: type[All] | type[Either], parts: Iterable[Region]) -> Region:
    """Return parts together, those of the same kind opened up: the search sees them at once."""
    opened = (part.parts if isinstance(part, kind) else (part,) for part in parts)
    return kind(tuple(chain.from_iterable(opened)))


def _fixed(term: Term, guarded: Mapping[str, FieldSpec]) -> set[Cut]:
    """Return the cuts a term has by nature: both truths, or the ends of its range."""
    if term.kind == "boolean":
        return {Fraction(False), Fraction(True)}
    spec = guarded.get(term.column or "")
    if spec is None or term.kind == "today":
        return set()
    ends = (Fraction(end) for end in (spec.min, spec.max) if end is not None)
    allowed = (declared(value, term.kind) for value in spec.allowed or ())
    return {*ends, *(each for each in allowed if each is not None)}
