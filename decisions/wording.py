"""The words of a case: its title, its reason and its evidence, written from its facts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import TemplateError

from decisions.definition import Definition, FieldSpec
from decisions.ports import Fact
from decisions.suggestions import cut
from decisions.template import Figure, is_currency, money, number, percent, plain, rendered

MOST_EXAMPLES_TOLD = 5
LONGEST_VALUE = 500
"""Characters of one fact, wherever it is shown."""


def title(
    definition: Definition, *, action: str, facts: Mapping[str, Any], opened_at: datetime, zone: str
) -> str:
    """Return the ask of a case in one sentence; a plain one if the template fails for its facts.

    Args:
        definition: The decision.
        action: The action asked for.
        facts: The case's facts as JSON values by field, with the subject and the scoring instant.
        opened_at: When the case was opened (timezone-aware).
        zone: IANA time zone of the reader.
    """
    asked = definition.actions.get(action)
    written = _written(asked.title, definition, facts, opened_at, zone) if asked else None
    subject = facts.get(definition.signal.subject, definition.decision)
    return written or f"Decide on {cut(str(subject), LONGEST_VALUE)}"


def why(
    definition: Definition, *, rule: str, facts: Mapping[str, Any], opened_at: datetime, zone: str
) -> str:
    """Return the reason of a case; the rule's name if its template fails for the case's facts.

    Args:
        definition: The decision.
        rule: Name of the rule that opened the case.
        facts: The case's facts as JSON values by field, with the subject and the scoring instant.
        opened_at: When the case was opened (timezone-aware).
        zone: IANA time zone of the reader.
    """
    reason = next((each.because for each in definition.rules if each.name == rule), None)
    written = _written(reason, definition, facts, opened_at, zone) if reason else None
    return written or f"Rule: {rule}"


def shown_facts(
    definition: Definition, action: str, facts: Mapping[str, Any], zone: str
) -> tuple[Fact, ...]:
    """Return the evidence an action shows, written out with its units.

    Args:
        definition: The decision.
        action: The action asked for.
        facts: The case's facts as JSON values by field.
        zone: IANA time zone of the reader.
    """
    asked = definition.actions.get(action)
    fields = definition.nameable
    shown = [(name, fields[name]) for name in (asked.show if asked else ()) if name in fields]
    return tuple(
        Fact(label=spec.label or _label(name), text=_shown(facts.get(name), spec, zone))
        for name, spec in shown
    )


def changed_facts(
    definition: Definition,
    action: str,
    facts: Mapping[str, Any],
    later: Mapping[str, Any],
    zone: str,
) -> tuple[Fact, ...]:
    """Return the evidence an action shows that is another by now, with what it was before.

    Args:
        definition: The decision.
        action: The action asked for.
        facts: The case's facts as JSON values by field.
        later: Those of a later signal.
        zone: IANA time zone of the reader.
    """
    before = shown_facts(definition, action, facts, zone)
    after = shown_facts(definition, action, later, zone)
    return tuple(
        Fact(label=new.label, text=f"{new.text} (was {old.text})")
        for old, new in zip(before, after, strict=True)
        if old.text != new.text
    )


def instant(at: datetime, zone: str) -> str:
    """Return an instant (timezone-aware) as somebody in an IANA zone reads it, the zone beside."""
    from babel.dates import format_datetime

    there = at.astimezone(ZoneInfo(zone))
    return f"{format_datetime(there, 'EEE d MMM, HH:mm', locale='en')} ({zone})"


def _written(
    template: str, definition: Definition, facts: Mapping[str, Any], opened_at: datetime, zone: str
) -> str | None:
    """Return the filled-in template, or None if it fails for these facts."""
    fields = definition.nameable
    try:
        values = {
            name: _value(fact, fields[name], zone) for name, fact in facts.items() if name in fields
        }
        opened_on = opened_at.astimezone(ZoneInfo(zone)).date()
        return rendered(template, values, opened_on=opened_on)
    except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        # A fact nobody foresaw costs the case its wording, never its opening.
        return None


def _value(fact: object, spec: FieldSpec, zone: str) -> object:
    """Return a JSON value as what its field declares.

    Raises:
        ValueError: The text is not of the declared type.
        ArithmeticError: The text is not a number.
    """
    if fact is None or spec.type == "boolean":
        return fact
    if spec.type == "string":
        return cut(str(fact), LONGEST_VALUE)
    if spec.type == "date":
        return date.fromisoformat(str(fact)[:10])
    if spec.type == "timestamp":
        at = datetime.fromisoformat(str(fact))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone))
    return Figure.of(fact, spec.unit)


def _shown(fact: object, spec: FieldSpec, zone: str) -> str:
    try:
        value = _value(fact, spec, zone)
    except (ValueError, ArithmeticError):
        return cut(str(fact), LONGEST_VALUE)
    if not isinstance(value, Figure):
        return str(plain(value))
    try:
        return _figure(value, spec)
    except ArithmeticError:  # more digits than the locale's formats can hold
        return cut(str(fact), LONGEST_VALUE)


def _figure(value: Figure, spec: FieldSpec) -> str:
    if is_currency(spec.unit):
        return money(value)
    if (spec.min, spec.max, spec.unit) == (0, 1, None) and spec.type != "integer":
        return percent(value)
    return f"{number(value)} {spec.unit or ''}".rstrip()


def _label(field: str) -> str:
    words = field.replace("_", " ").strip()
    return words[:1].upper() + words[1:] or field


def found_at_fault(
    faults: Sequence[str],
    examples: Sequence[Mapping[str, Any]],
    *,
    most: int = MOST_EXAMPLES_TOLD,
) -> list[str]:
    """Return what a gate found, each fault with a few of the subjects it was found at.

    Args:
        faults: As a run keeps them.
        examples: As a run keeps them: ``fault`` (place in ``faults``), ``subject``, ``value``.
        most: How many subjects to name for each fault.
    """
    told = []
    for place, fault in enumerate(faults):
        keys = [_example(each) for each in examples if each["fault"] == place][:most]
        told.append(f"{fault}; such as {', '.join(keys)}" if keys else fault)
    return told


def _example(example: Mapping[str, Any]) -> str:
    subject, value = example["subject"], example["value"]
    subject = "a row without a subject" if subject is None else subject
    return f"{subject} (nothing)" if value is None else f"{subject} ({value})"
