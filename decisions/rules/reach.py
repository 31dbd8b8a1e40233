"""Which conditions can never hold, which are never reached, and which two can hold at once.

A region that is found empty is empty; where finding out would take too long, nothing is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from decisions.definition import FieldSpec
from decisions.rules.regions import All, Among, Answer, Either, Region, Regions

MOST_STEPS = 100_000
"""Steps spent on the conditions of one definition, about a third of a second."""


class _Exhausted(Exception):
    """The steps are used up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is certain about one condition.

    Attributes:
        place: Its position among those given.
        kind: ``dead`` where it can never hold, ``covered`` where others hold whenever it does,
            ``overlap`` where another one can hold at the same time.
        others: Positions of the conditions that cover it or overlap with it; empty where it takes
            several to cover it.
        example: A record for which both hold, by column; for an overlap.
        within: The columns whose declared values rule it out; empty where its parts exclude one
            another.
    """

    place: int
    kind: str
    others: tuple[int, ...] = ()
    example: Mapping[str, object] = field(default_factory=dict)
    within: tuple[str, ...] = ()


@dataclass(slots=True)
class Reach:
    """The conditions of one definition, in the order in which they are tried.

    Attributes:
        unexamined: Positions of those about which nothing could be found out in time.

    Args:
        conditions: Checked trees.
        fields: What is declared of the columns.
        guarded: The columns whose declaration a batch is held against before it is judged.
        most_steps: How long to look.
    """

    conditions: Sequence[exp.Expr]
    fields: Mapping[str, FieldSpec]
    guarded: Mapping[str, FieldSpec]
    most_steps: int = MOST_STEPS
    unexamined: set[int] = field(default_factory=set)
    _regions: Regions = field(init=False)
    _true: list[Region] = field(init=False)
    _not_true: list[Region] = field(init=False)

    def __post_init__(self) -> None:
        self._regions = Regions(self.conditions, self.fields, self.guarded)
        self._true = [self._regions.where(each) for each in self.conditions]
        self._not_true = [self._regions.where(each, Answer.NOT_TRUE) for each in self.conditions]

    def findings(self, *, exclusive_from: int | None = None) -> Iterator[Finding]:
        """Yield what is certain: at most one finding a condition.

        Args:
            exclusive_from: From which position on no two may hold at once; None where the first
                that holds decides throughout.
        """
        dead: set[int] = set()
        for place in range(len(self.conditions)):
            try:
                found = self._found(place, exclusive_from, dead)
            except (_Exhausted, RecursionError):
                self.unexamined.add(place)
                continue
            if found is not None:
                if found.kind == "dead":
                    dead.add(place)
                yield found

    def _found(self, place: int, exclusive_from: int | None, dead: set[int]) -> Finding | None:
        if self._box([self._true[place]]) is None:
            return Finding(place, "dead", within=self._ruled_out(place))
        is_exclusive = exclusive_from is not None and place >= exclusive_from
        earlier = [each for each in range(place) if each not in dead]
        first_tried = [each for each in earlier if not is_exclusive or each < (exclusive_from or 0)]
        if self._box([self._true[place], *(self._not_true[each] for each in first_tried)]) is None:
            one = (each for each in first_tried if self._covers(each, place))
            return Finding(place, "covered", tuple(one)[:1])
        rivals = [each for each in earlier if each not in first_tried]
        allowed = [self._not_true[each] for each in first_tried]
        for rival in rivals:
            box = self._box([self._true[place], self._true[rival], *allowed])
            example = None if box is None else self._example(box)
            if example is not None:
                return Finding(place, "overlap", (rival,), example)
        return None

    def _covers(self, one: int, other: int) -> bool:
        return self._box([self._true[other], self._not_true[one]]) is None

    def _ruled_out(self, place: int) -> tuple[str, ...]:
        """Return the columns whose declared values rule a condition out."""
        axes = self._regions.axes
        everything = {key: axis.everything for key, axis in axes.items()}
        if self._box([self._true[place]], everything) is None:
            return ()
        used = {term.sql("duckdb") for term in self.conditions[place].find_all(exp.Column)}
        columns = {axis.term.column for key, axis in axes.items() if key in used}
        return tuple(sorted(name for name in columns if name and name in self.guarded))

    def _box(
        self, goals: list[Region], domain: Mapping[str, int] | None = None
    ) -> dict[str, int] | None:
        """Return cells of some terms in which all regions meet; None where they never do."""
        whole = domain or {key: axis.domain for key, axis in self._regions.axes.items()}
        return self._search(goals, {}, whole)

    def _search(
        self, goals: list[Region], box: dict[str, int], whole: Mapping[str, int]
    ) -> dict[str, int] | None:
        choices: list[list[Region]] = []
        while goals:
            self._count()
            goal = goals.pop()
            if isinstance(goal, Among):
                box[goal.key] = box.get(goal.key, whole[goal.key]) & goal.cells
                if not box[goal.key]:
                    return None
            elif isinstance(goal, All):
                goals.extend(goal.parts)
            else:
                choices.append(list(goal.parts))
        return self._chosen(choices, box, whole)

    def _chosen(
        self, choices: list[list[Region]], box: dict[str, int], whole: Mapping[str, int]
    ) -> dict[str, int] | None:
        """Try the parts of the choice that leaves fewest of them open."""
        open_choices: list[list[Region]] = []
        for choice in choices:
            self._count(len(choice))
            if any(_is_met(part, box) for part in choice):
                continue
            possible = [part for part in choice if _is_possible(part, box, whole)]
            if not possible:
                return None
            open_choices.append(possible)
        if not open_choices:
            return box
        open_choices.sort(key=len)
        first, others = open_choices[0], [Either(tuple(each)) for each in open_choices[1:]]
        for part in first:
            found = self._search([*others, part], dict(box), whole)
            if found is not None:
                return found
        return None

    def _count(self, steps: int = 1) -> None:
        self.most_steps -= steps
        if self.most_steps < 0:
            raise _Exhausted

    def _example(self, box: Mapping[str, int]) -> dict[str, object] | None:
        """Return a record within a box; None where it hangs on more than single columns."""
        record: dict[str, object] = {}
        for key, cells in box.items():
            axis = self._regions.axes[key]
            if cells == axis.domain:
                continue
            column = axis.term.column
            if column is None or column in record or axis.term.kind == "today":
                return None
            try:
                record[column] = axis.example(cells)
            except (ValueError, OverflowError):
                return None
        return record


def _is_met(part: Region, box: Mapping[str, int]) -> bool:
    """Whether a part holds throughout a box, as far as one look tells."""
    if isinstance(part, Among):
        return part.key in box and not box[part.key] & ~part.cells
    met = all if isinstance(part, All) else any
    return met(_is_met(each, box) for each in part.parts)


def _is_possible(part: Region, box: Mapping[str, int], whole: Mapping[str, int]) -> bool:
    """Whether a part may hold somewhere in a box, as far as one look tells."""
    if isinstance(part, Among):
        return bool(box.get(part.key, whole[part.key]) & part.cells)
    if isinstance(part, Either):
        return any(_is_possible(each, box, whole) for each in part.parts)
    return all(_is_possible(each, box, whole) for each in part.parts)
