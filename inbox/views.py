"""What the pages show of a case, taken from the ledger's rows and the pinned definition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from decisions import lifecycle
from decisions.definition import Definition
from decisions.errors import UnknownPerson
from decisions.escalation import ASSIGNEE, End, Telling, due_step
from decisions.ledger import SYSTEM, Dossier
from decisions.ledger.records import Answer, Case, CaseState, Notification, Outcome
from decisions.lifecycle import PAST, Move
from decisions.ownership import People, resolve
from decisions.ports import Fact, Message
from decisions.template import Figure, money
from decisions.wording import shown_facts, title, why
from connectors.slack.preview import as_html
from markupsafe import Markup

WAITING: Final = (CaseState.OPEN, CaseState.ACKNOWLEDGED)
HIDDEN: Final = (CaseState.HELD_OUT,)
"""States shown to nobody but the decision's owners."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case in a list.

    Attributes:
        case: The case.
        title: The ask in one sentence.
        why: The rule's reason.
        stake: What one success is worth, with its unit; None if not declared or not known.
        deadline: When the next word from a person is due; None once it is closed.
        is_overdue: Whether that has passed; a snoozed case is not overdue, it sleeps.
        moves: What a person who is entitled to may do.
    """

    case: Case
    title: str
    why: str
    stake: str | None
    deadline: datetime | None
    is_overdue: bool
    moves: tuple[Move, ...]


def row(case: Case, definition: Definition, *, zone: str, now: datetime) -> Row:
    """Return the case as a list shows it.

    Args:
        case: The case.
        definition: The definition it is pinned to.
        zone: IANA time zone of the reader.
        now: The present instant (timezone-aware).
    """
    written = {"facts": case.facts, "opened_at": case.opened_at, "zone": zone}
    waits = case.state in WAITING
    deadline = (case.complete_by or case.respond_by) if waits else None
    return Row(
        case=case,
        title=title(definition, action=case.action, **written),
        why=why(definition, rule=case.rule, **written),
        stake=stake(case, definition),
        deadline=deadline,
        is_overdue=deadline is not None and deadline < now and case.snoozed_until is None,
        moves=lifecycle.allowed(case.state),
    )


def stake(case: Case, definition: Definition) -> str | None:
    """Return what one success is worth, in the unit of the outcome's value field."""
    if case.value is None or definition.outcome is None or definition.outcome.value is None:
        return None
    spec = definition.fields.get(definition.outcome.value)
    return money(Figure.of(case.value, spec.unit if spec else None))


def other_facts(case: Case, definition: Definition, zone: str) -> tuple[Fact, ...]:
    """Return what was frozen with the case besides the evidence its action shows."""
    action = definition.actions[case.action]
    rest = tuple(name for name in case.facts if name not in action.show)
    showing_the_rest = {case.action: action.model_copy(update={"show": rest})}
    whole = definition.model_copy(update={"actions": showing_the_rest})
    return shown_facts(whole, case.action, case.facts, zone)


def drawn(notification: Notification) -> Markup | None:
    """Return the message as Slack shows it, or None while it has not been written."""
    if notification.message is None:
        return None
    return as_html(Message.model_validate(notification.message))
