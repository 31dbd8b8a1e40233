"""Whether every condition of a definition can decide anything, and no two the same record."""

from collections.abc import Mapping
from datetime import date

from sqlglot import exp

from decisions.definition import Definition, FieldSpec
from decisions.errors import ExpressionError, Place
from decisions.rules.expression import parse
from decisions.rules.reach import Finding, Reach
from decisions.workspace.coherence import too_much_to_read

_Told = list[tuple[Place, str]]
"""What is told of a definition: where, and what."""


def examined(definition: Definition) -> tuple[_Told, _Told]:
    """Return the conditions that never decide and pairs that do at once; and what is not known.

    Only what is certain is told. What is no comparison of a column with constants may be true or
    not; only what the gate enforces of the columns is relied on.

    Args:
        definition: A decision whose every value could be read; conditions at fault are left out.
    """
    if too_much_to_read(definition):
        return [], []
    placed, reach = _reach(definition)
    told = [
        ((*placed[found.place], "when"), _told(definition, placed, found))
        for found in reach.findings(exclusive_from=_exclusive_from(definition, placed))
    ]
    if not reach.unexamined:
        return told, []
    count = f"{len(reach.unexamined)} of {len(placed)} conditions"
    text = f"whether {count} are ever reached was not found out in time; they are too tangled"
    return told, [((*placed[min(reach.unexamined)], "when"), text)]


def _reach(definition: Definition) -> tuple[list[Place], Reach]:
    placed: list[Place] = []
    trees: list[exp.Expr] = []
    whens = [(("withhold", i), each.when) for i, each in enumerate(definition.withhold)]
    whens += [(("rules", i), each.when) for i, each in enumerate(definition.rules)]
    for place, text in whens:
        try:
            trees.append(parse(text, definition.columns, gives="boolean"))
        except ExpressionError:
            continue
        placed.append(place)
    return placed, Reach(trees, definition.columns, _guarded(definition))


def _guarded(definition: Definition) -> dict[str, FieldSpec]:
    return definition.signal.fields | {definition.signal.subject: FieldSpec(type="string")}


def _exclusive_from(definition: Definition, placed: list[Place]) -> int | None:
    is_rule = [place[0] == "rules" for place in placed]
    return is_rule.index(True) if definition.match == "unique" and any(is_rule) else None


def _told(definition: Definition, placed: list[Place], found: Finding) -> str:
    name = _name(definition, placed[found.place])
    if found.kind == "dead":
        return f"{name} can never hold: {_why_dead(definition, found)}"
    if found.kind == "overlap":
        rival = _name(definition, placed[found.others[0]])
        record = ", ".join(f"{key} {_value(value)}" for key, value in found.example.items())
        both = f"{name} and {rival} both hold for {record or 'every record'}"
        return f"{both}; under match: unique no two may"
    if not found.others:
        return f"{name} is never reached: those above it leave it nothing"
    above = _name(definition, placed[found.others[0]])
    return f"{name} is never reached: {above} holds whenever it does"


def _why_dead(definition: Definition, found: Finding) -> str:
    if not found.within:
        return "its parts exclude one another"
    guarded = _guarded(definition)
    return "; ".join(f"{name} is {_declared(guarded[name])}" for name in found.within)


def _name(definition: Definition, place: Place) -> str:
    at = int(place[1])
    return f"rule {definition.rules[at].name!r}" if place[0] == "rules" else f"withhold[{at}]"


def _declared(spec: FieldSpec) -> str:
    ends: Mapping[str, float | None] = {"at least": spec.min, "at most": spec.max}
    parts = [f"{word} {end:g}" for word, end in ends.items() if end is not None]
    if spec.allowed is not None:
        parts.append(f"one of {', '.join(map(_value, spec.allowed))}")
    if spec.nulls is None:
        parts.append("never missing")
    return " and ".join(parts) or f"a {spec.type}"


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return f"'{value}'" if isinstance(value, str | date) else f"{value}"
