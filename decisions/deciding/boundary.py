"""Where the operating boundary runs: whom a batch leaves to a person, counted by reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from decisions.deciding.evaluation import relations_of, withheld_query
from decisions.definition import Definition
from decisions.ports import Warehouse


@dataclass(frozen=True, slots=True)
class Withheld:
    """Subjects of a batch that one reason keeps from being decided on.

    Attributes:
        reason: Why, in words.
        to: Who is told: a person, a role or an owner, as the definition names them.
        count: How many; at least 1.
        examples: Up to two of them, the first and the last in order.
    """

    reason: str
    to: str
    count: int
    examples: tuple[str, ...]


def reason(definition: Definition, code: int) -> tuple[str, str]:
    """Return why a subject is withheld and who is told.

    Args:
        definition: The decision.
        code: What ``evaluation.judged_sql`` gives as ``$withheld``.
    """
    beyond = code - len(definition.withhold)
    if beyond < 0:
        entry = definition.withhold[code]
        return entry.because, entry.to
    first, last = divmod(beyond, len(definition.rules))
    names = definition.rules[first].name, definition.rules[last].name
    return f"the rules {names[0]!r} and {names[1]!r} both hold", "technical"


def can_withhold(definition: Definition) -> bool:
    """Whether a definition can keep single subjects from being decided on."""
    return bool(definition.withhold) or definition.match == "unique"


def withheld(
    definition: Definition, warehouses: Mapping[str, Warehouse], *, as_of: datetime
) -> tuple[Withheld, ...]:
    """Return whom the operating boundary keeps from being decided on, by reason.

    Args:
        definition: The decision.
        warehouses: By connection name.
        as_of: What ``today()`` is (timezone-aware).

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    if not can_withhold(definition):
        return ()
    warehouse = warehouses[definition.signal.connection]
    relations = relations_of(definition, warehouse)
    query = withheld_query(definition, relations, dialect=warehouse.dialect, as_of=as_of)
    return tuple(
        Withheld(
            *reason(definition, int(row["code"])),
            count=int(row["count"]),
            examples=tuple(dict.fromkeys((row["first"], row["last"]))),
        )
        for row in warehouse.select(query).to_pylist()
    )
