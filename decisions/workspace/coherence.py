"""Whether the parts of a definition fit one another, the people and the connections.

Everything here works on definitions that were only partly readable, too: what is empty is passed
over, since its fault is told already.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from decisions import template
from decisions.definition import NOTHING, OWNER_ROLES, WITHHELD, Definition, FieldSpec, Relation
from decisions.errors import ExpressionError, Place
from decisions.ownership import ASSIGNEES_MANAGER, People
from decisions.rules.expression import parse
from decisions.spelling import iso_date, iso_instant
from decisions.suggestions import choices
from decisions.workspace.slicing import slice_faults

Role = Literal["warehouse", "channel", "prover"]
"""What a connection can be named as in a definition."""

OTHERWISE = "otherwise"
"""Stands for a rule's name in cases that no rule selected."""
LONGEST_TOGETHER = 50_000
"""Characters of all conditions of a definition; reading them takes half a second."""
NUMBERS = ("float", "integer", "decimal")


def contradictions(
    definition: Definition, *, people: People | None, roles: Mapping[str, Role | None] | None
) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong between the parts of a definition: where, and what.

    Args:
        definition: The decision.
        people: Who there is; None where that could not be read.
        roles: What each connection can be named as; None where that could not be read.
    """
    yield from _fields(definition)
    yield from _bounds(definition)
    yield from _watched(definition)
    yield from _cost(definition)
    yield from _figures(definition)
    yield from _measuring(definition)
    yield from _rules(definition)
    yield from _boundary(definition)
    yield from _actions(definition)
    yield from _examples(definition)
    yield from slice_faults(definition)
    if people is not None:
        yield from _persons(definition, people)
    if roles is not None:
        yield from _connections(definition, roles)


def doubts(definition: Definition, today: date | None) -> Iterator[tuple[Place, str]]:
    """Yield what is not wrong but probably not meant: where, and what.

    Args:
        definition: The decision.
        today: The present date; None where it makes no difference.
    """
    used = {rule.do for rule in definition.rules} | {definition.otherwise}
    for name in definition.actions:
        if name not in used:
            yield ("actions", name), f"no rule does {name!r}; remove it or name it under 'do'"
    if today and definition.review_by < today:
        late = f"review_by was {definition.review_by}"
        yield ("review_by",), f"{late}; its owners must confirm that this is still right"


def _fields(definition: Definition) -> Iterator[tuple[Place, str]]:
    signal = definition.signal
    given = {signal.subject.lower(): "subject", signal.scored_at.lower(): "scored_at"}
    seen: dict[str, str] = {}
    for place, name in _declared(definition):
        key = name.lower()
        if key in given:
            yield place, f"{name!r} is the signal's {given[key]} and always there; leave it out"
        elif key in seen:
            yield place, f"the field {name!r} is declared in {seen[key]} already"
        seen.setdefault(key, ".".join(str(step) for step in place[:-2]) or "signal")


def _declared(definition: Definition) -> Iterator[tuple[Place, str]]:
    for name in definition.signal.fields:
        yield ("signal", "fields", name), name
    for i, context in enumerate(definition.context):
        for name in context.fields:
            yield ("context", i, "fields", name), name


def _bounds(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Judge what is demanded of values: never of a context, and a score must always be there."""
    for i, context in enumerate(definition.context):
        for name, spec in context.fields.items():
            for key in ("min", "max", "nulls", "allowed"):
                if getattr(spec, key) is not None:
                    text = f"{key} is checked for the signal's fields only"
                    yield (
                        ("context", i, "fields", name, key),
                        f"{text}; a context's field takes type, unit and label",
                    )
    for name, spec in definition.signal.fields.items():
        yield from _allowed(("signal", "fields", name, "allowed"), spec)
    score = definition.signal.score
    scored = definition.signal.fields.get(score)
    nulls = scored.nulls if scored else None
    if nulls == "allowed" or (nulls and nulls.of_one > 0):
        found = f"{score!r} is the score, which every case must have"
        yield ("signal", "fields", score, "nulls"), f"{found}; leave nulls out"


def _watched(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Judge the fields that are watched for drift: fields of the signal that have bins."""
    signal = definition.signal
    for name in signal.gate.drift:
        place: Place = ("signal", "gate", "drift", name)
        spec = signal.fields.get(name)
        if spec is None:
            yield (
                place,
                f"drift names {name!r}, no field of the signal; {choices(name, signal.fields)}",
            )
        elif spec.type in {"date", "timestamp"}:
            yield place, f"{name!r} is a {spec.type}; drift is for numbers, strings and booleans"


def _cost(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Judge the field a month's cost is summed over: always there, never below 0, in one unit."""
    cost = definition.limits.cost if definition.limits else None
    if not cost or not cost.of:
        return
    place: Place = ("limits", "cost", "of")
    fields = definition.signal.fields
    yield from _number(place, cost.of, fields)
    spec = fields.get(cost.of)
    if spec is None or spec.type not in NUMBERS:
        return
    if spec.nulls is not None:
        yield place, f"{cost.of!r} may be missing, and what is not known cannot be summed"
    if (spec.min is None or spec.min < 0) and not spec.allowed:
        yield place, f"{cost.of!r} may be below 0, which would make room; give it 'min: 0'"
    if cost.at_most and spec.unit != cost.at_most.unit:
        found = f"in {spec.unit}" if spec.unit else "without a unit"
        yield ("limits", "cost", "at_most"), f"at_most is {cost.at_most}; {cost.of!r} is {found}"


def _allowed(place: Place, spec: FieldSpec) -> Iterator[tuple[Place, str]]:
    for i, value in enumerate(spec.allowed or ()):
        if value is None:
            yield (*place, i), "whether a field may be missing is said by nulls"
        elif spec.type and not _fits(value, spec.type):
            yield (*place, i), f"allowed holds {value!r}, which is no {spec.type}"
        elif value in (spec.allowed or ())[:i]:
            yield (*place, i), f"allowed holds {value!r} twice"


def _figures(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Judge the fields that must be numbers: the score, and what a success is worth."""
    yield from _number(("signal", "score"), definition.signal.score, definition.signal.fields)
    outcome = definition.outcome
    if outcome and outcome.value:
        yield from _number(("outcome", "value"), outcome.value, definition.fields)
        worth = definition.fields.get(outcome.value)
        if outcome.cost and worth and worth.unit != outcome.cost.unit:
            unit = f"in {worth.unit}" if worth.unit else "without a unit"
            yield (
                ("outcome", "cost"),
                f"cost is {outcome.cost}, but the value {outcome.value!r} is {unit}",
            )


def _measuring(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Judge what can only be used together with an outcome."""
    if definition.outcome is None:
        if definition.holdout:
            yield ("holdout",), "a holdout measures nothing without an outcome; declare one"
        if definition.intervention:
            window = "a proof counts within the outcome's window"
            yield ("intervention",), f"{window}; declare an outcome"


def _number(
    place: Place, name: str, fields: Mapping[str, FieldSpec]
) -> Iterator[tuple[Place, str]]:
    if name and name not in fields:
        yield place, f"{place[-1]} is {name!r}, which is no declared field; {choices(name, fields)}"
    elif name and fields[name].type and fields[name].type not in NUMBERS:
        yield place, f"{place[-1]} is {name!r}, a {fields[name].type}; it must be a number"


def too_much_to_read(definition: Definition) -> bool:
    """Whether the conditions of a definition are longer than anybody would check them."""
    whens = [rule.when for rule in definition.rules] + [each.when for each in definition.withhold]
    return sum(map(len, whens)) > LONGEST_TOGETHER


def _rules(definition: Definition) -> Iterator[tuple[Place, str]]:
    if too_much_to_read(definition):
        text = f"the conditions have more than {LONGEST_TOGETHER:,} characters together"
        yield ("rules",), f"{text}; put lists of values into a table and join it as context"
    names = [rule.name for rule in definition.rules]
    for i, rule in enumerate(definition.rules):
        place: Place = ("rules", i)
        if rule.name and rule.name in names[:i]:
            yield (*place, "name"), f"two rules are called {rule.name!r}; reports tell them by name"
        if rule.name == OTHERWISE:
            yield (*place, "name"), f"{OTHERWISE!r} is what no rule selects; choose another name"
        yield from _expression((*place, "when"), rule.when, definition, "boolean")
        yield from _action_named((*place, "do"), rule.do, definition)
        yield from _template((*place, "because"), rule.because, definition)
    yield from _action_named(("otherwise",), definition.otherwise, definition)
    prefer = definition.limits.prefer if definition.limits else None
    yield from _expression(("limits", "prefer"), prefer, definition, "number")


def _boundary(definition: Definition) -> Iterator[tuple[Place, str]]:
    reasons = [each.because for each in definition.withhold]
    for i, each in enumerate(definition.withhold):
        yield from _expression(("withhold", i, "when"), each.when, definition, "boolean")
        if each.because and each.because in reasons[:i]:
            text = "two reasons to withhold are the same; subjects are counted by them"
            yield ("withhold", i, "because"), text


def _expression(
    place: Place, text: str | None, definition: Definition, gives: Literal["boolean", "number"]
) -> Iterator[tuple[Place, str]]:
    """Judge an expression, unless it uses a field whose own declaration could not be read."""
    columns = definition.columns
    unreadable = {name for name, spec in columns.items() if not spec.type}
    readable = {name: spec for name, spec in columns.items() if name not in unreadable}
    if not text or too_much_to_read(definition) or any(name in text for name in unreadable):
        return
    try:
        parse(text, readable, gives=gives)
    except ExpressionError as error:
        yield place, str(error)


def _template(place: Place, text: str, definition: Definition) -> Iterator[tuple[Place, str]]:
    for fault in template.faults(text, definition.nameable):
        yield place, fault


def _action_named(
    place: Place, name: str, definition: Definition, *besides: str
) -> Iterator[tuple[Place, str]]:
    known = [*definition.actions, NOTHING, *besides]
    if name and name not in known:
        advice = choices(name, known)
        yield place, f"{place[-1]} is {name!r}, which is no action; {advice}"


def _actions(definition: Definition) -> Iterator[tuple[Place, str]]:
    for name, action in definition.actions.items():
        place: Place = ("actions", name)
        if name == NOTHING:
            yield place, f"{NOTHING!r} means that no case is opened; call the action otherwise"
        if name == WITHHELD:
            yield place, f"{WITHHELD!r} means that nothing is decided; call the action otherwise"
        for i, shown in enumerate(action.show):
            if shown not in definition.nameable:
                hint = choices(shown, definition.nameable)
                yield (*place, "show", i), f"show names {shown!r}, which is no field; {hint}"
        spec = definition.fields.get(action.assign or "")
        if spec and spec.type and spec.type != "string":
            found = f"assign is {action.assign!r}, a {spec.type}"
            yield (*place, "assign"), f"{found}; the field must hold people's keys"
        yield from _template((*place, "title"), action.title, definition)


def _examples(definition: Definition) -> Iterator[tuple[Place, str]]:
    for i, example in enumerate(definition.examples):
        yield from _action_named(("examples", i, "expect"), example.expect, definition, WITHHELD)
        for name, value in example.given.items():
            place: Place = ("examples", i, "given", name)
            spec = definition.columns.get(name)
            if spec is None:
                yield place, f"unknown field {name!r}; {choices(name, definition.columns)}"
            elif spec.type and not _fits(value, spec.type):
                yield place, f"{name} is {value!r}, which is no {spec.type}"
            elif spec.allowed and value is not None and value not in spec.allowed:
                advice = choices(str(value), map(str, spec.allowed), verb="allowed are")
                yield place, f"{name} never is {value!r}; {advice}"


def _fits(value: bool | float | str | None, wanted: str) -> bool:
    """Whether an example's value can be read as the declared type; None always can."""
    if value is None:
        return True
    if wanted in {"date", "timestamp"}:
        try:
            (iso_date if wanted == "date" else iso_instant)(str(value))
        except ValueError:
            return False
        return True
    if isinstance(value, bool) or wanted == "boolean":
        return isinstance(value, bool) and wanted == "boolean"
    if wanted == "string":
        return isinstance(value, str)
    return isinstance(value, int) or (isinstance(value, float) and wanted != "integer")


def _unknown(name: str, place: Place, known: Sequence[str]) -> Iterator[tuple[Place, str]]:
    if name not in known:
        where = ".".join(part for part in place if isinstance(part, str))
        found = f"{where} names {name!r}, whom people.yaml does not know"
        yield place, f"{found}; {choices(name, known)}"


def _persons(definition: Definition, people: People) -> Iterator[tuple[Place, str]]:
    known = [*people.people, *people.roles]
    owners = definition.owners
    for role in OWNER_ROLES:
        name = getattr(owners, role)
        if name and name not in known:
            found = f"owners.{role} is {name!r}, whom people.yaml does not know"
            yield ("owners", role), f"{found}; {choices(name, known)}"
    declared = [role for role in OWNER_ROLES if getattr(owners, role) is not None]
    for i, to in enumerate(definition.report.to):
        yield from _unknown(to, ("report", "to", i), [*known, *declared])
    for i, each in enumerate(definition.withhold):
        if each.to and each.to not in (reachable := [*known, *declared]):
            found = f"withhold[{i}].to is {each.to!r}, which is no person, role or owner"
            yield ("withhold", i, "to"), f"{found}; {choices(each.to, reachable)}"
    yield from _signers(definition, [*declared, *known])
    for name, action in definition.actions.items():
        assignable = [*known, *declared, *definition.fields]
        if action.assign and action.assign not in assignable:
            found = f"assign is {action.assign!r}, which is no field, person, role or owner"
            yield ("actions", name, "assign"), f"{found}; {choices(action.assign, assignable)}"
        for i, step in enumerate(action.escalate):
            reachable = [*known, *declared, ASSIGNEES_MANAGER]
            if step.to and step.to not in reachable:
                found = f"escalate[{i}].to is {step.to!r}, which is no person, role or owner"
                yield (
                    ("actions", name, "escalate", i, "to"),
                    f"{found}; {choices(step.to, reachable)}",
                )


def _signers(definition: Definition, known: list[str]) -> Iterator[tuple[Place, str]]:
    for i, name in enumerate(definition.sign_off.by if definition.sign_off else ()):
        if name and name not in known:
            found = f"sign_off.by names {name!r}, who is no owner, role or person"
            yield ("sign_off", "by", i), f"{found}; {choices(name, known)}"


def _connections(
    definition: Definition, roles: Mapping[str, Role | None]
) -> Iterator[tuple[Place, str]]:
    for place, relation in _relations(definition):
        yield from _connection((*place, "from"), relation.connection, "warehouse", roles)
    for i, context in enumerate(definition.context):
        here, there = context.connection, definition.signal.connection
        if here and there and here != there and roles.get(here) == "warehouse":
            text = f"from is {here!r}; context is joined where the signal is, in {there!r}"
            yield ("context", i, "from"), text
    if definition.intervention and definition.intervention.receipts:
        source = definition.intervention.receipts
        yield from _connection(("intervention", "receipts"), source, "prover", roles)
    for name, action in definition.actions.items():
        for i, channel in enumerate(action.through):
            yield from _connection(("actions", name, "through", i), channel, "channel", roles)


def _relations(definition: Definition) -> Iterator[tuple[Place, Relation]]:
    yield ("signal",), definition.signal
    for i, context in enumerate(definition.context):
        yield ("context", i), context
    if definition.intervention and definition.intervention.proof:
        yield ("intervention", "proof"), definition.intervention.proof
    if definition.outcome:
        yield ("outcome",), definition.outcome


def _connection(
    place: Place, name: str, wanted: Role, roles: Mapping[str, Role | None]
) -> Iterator[tuple[Place, str]]:
    fitting = [each for each, role in roles.items() if role == wanted]
    if name and name not in roles:
        yield place, f"{wanted} {name!r} is not connected; {choices(name, fitting)}"
    elif name and roles[name] not in {wanted, None}:
        yield place, f"{name!r} is a {roles[name]}; here belongs a {wanted}; {choices('', fitting)}"
