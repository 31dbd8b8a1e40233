"""What the terms of conditions may be, cut where some condition changes its answer.

Between two cuts no condition can tell one value from another, so that a handful of cells stands
for all values. A set of cells is an integer, one bit a cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import floor

from decisions.definition import FieldSpec
from decisions.rules.constants import DAY_ONE, Cut, declared


@dataclass(frozen=True, slots=True)
class Term:
    """What a condition compares with constants.

    Attributes:
        key: Its SQL; two terms of one key have one value.
        kind: What its values are: number, string, boolean, moment, or days counted from today().
        column: The column, where the term is nothing but one.
        whole: Whether only whole values occur.
    """

    key: str
    kind: str
    column: str | None = None
    whole: bool = False


class Axis:
    """The cells of one term: cuts, the spaces around them, and NULL.

    Cut ``i`` is cell ``2i + 1``, the spaces before and behind it are its neighbours. Without an
    order all spaces are one, the first.

    Args:
        term: The term.
        cuts: Every constant that it is compared with, and the ends of its range.
        spec: What is declared of it, where it is a column that a batch is held against.
    """

    def __init__(self, term: Term, cuts: Iterable[Cut], spec: FieldSpec | None) -> None:
        self.term = term
        self.cuts: list[Cut] = sorted(set(cuts), key=lambda cut: (isinstance(cut, str), cut))
        self._places = {cut: 2 * place + 1 for place, cut in enumerate(self.cuts)}
        self.null = 1 << (2 * len(self.cuts) + 1)
        self.everything = (self.null << 1) - 1
        self.domain = self._occurring(spec)

    def among(self, operator: str, cut: Cut) -> int:
        """Return the cells whose values are, say, ``>=`` a constant; never NULL."""
        place = self._places[cut]
        point, below = 1 << place, (1 << place) - 1
        above = self.everything ^ self.null ^ below ^ point
        cells = {"=": point, "<": below, "<=": below | point, ">": above, ">=": above | point}
        return cells[operator]

    def example(self, cells: int) -> object | None:
        """Return a value of one of the cells, a given one rather than NULL; None for NULL.

        Raises:
            ValueError: There is none that can be written down.
        """
        for place in sorted(range(2 * len(self.cuts) + 1), key=lambda place: place % 2 == 0):
            if cells >> place & 1:
                if place % 2:
                    return self._written(self.cuts[place // 2])
                return self._within(place)
        return None

    def _occurring(self, spec: FieldSpec | None) -> int:
        cells = self.everything
        spaces = range(0, 2 * len(self.cuts) + 1, 2)
        if self.term.kind == "boolean":
            empty = list(spaces)
        elif self.term.kind == "string":
            empty = list(spaces)[1:]
        else:
            empty = [each for each in spaces if self.term.whole and not self._holds_whole(each)]
        cells &= ~sum(1 << each for each in empty)
        return cells & self._declared(spec) if spec else cells

    def _declared(self, spec: FieldSpec) -> int:
        """Return the cells that a batch which passes its gate may have."""
        cells = self.everything
        if spec.nulls is None or (spec.nulls != "allowed" and spec.nulls.of_one == 0):
            cells &= ~self.null
        if spec.min is not None:
            cells &= self.among(">=", Fraction(spec.min)) | self.null
        if spec.max is not None:
            cells &= self.among("<=", Fraction(spec.max)) | self.null
        if spec.allowed is not None and self.term.kind != "today":
            allowed = [declared(value, self.term.kind) for value in spec.allowed]
            points = {1 << self._places[each] for each in allowed if each is not None}
            cells &= sum(points) | self.null
        return cells

    def _ends(self, place: int) -> tuple[Fraction | None, Fraction | None]:
        """Return the cuts around a space, None where there is none."""
        before = self.cuts[place // 2 - 1] if place else None
        behind = self.cuts[place // 2] if place // 2 < len(self.cuts) else None
        return (
            before if isinstance(before, Fraction) else None,
            behind if isinstance(behind, Fraction) else None,
        )

    def _holds_whole(self, place: int) -> bool:
        low, high = self._ends(place)
        return low is None or high is None or floor(low) + 1 < high

    def _within(self, place: int) -> object:
        """Return a value between two cuts, the shortest that a person may write."""
        if self.term.kind == "string":
            return next(text for text in ("something else", "another") if text not in self._places)
        low, high = self._ends(place)
        if low is None or high is None:
            start = Fraction(0) if low is None and high is None else (low or high or Fraction(0))
            step = -1 if low is None else 1
            return self._written(Fraction(floor(start) + step) if self.term.whole else start + step)
        if self.term.whole:
            return self._written(Fraction(floor(low) + 1))
        middle = (low + high) / 2
        for digits in range(12):
            value = Fraction(str(round(float(middle), digits)))
            if low < value < high and low < Fraction(float(value)) < high:
                return self._written(value)
        raise ValueError("no short value lies between two cuts")

    def _written(self, cut: Cut) -> object:
        kind = self.term.kind
        if isinstance(cut, str):
            return cut
        if kind == "boolean":
            return bool(cut)
        if kind == "moment":
            at = DAY_ONE + timedelta(days=float(cut))
            return at.date() if self.term.whole else at
        return int(cut) if cut.denominator == 1 else float(cut)
