"""Look at cases."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from flows.cli.here import CommandHere, NotUnderstood
from flows.cli.output import columns_of, from_now, plural, table, when

if TYPE_CHECKING:
    from decisions.ledger import Filter
    from decisions.ledger.records import Case
    from flows.wiring import Layer

State = Literal[
    "open", "acknowledged", "completed", "overridden", "unanswered", "superseded", "released"
]
COLUMNS = (
    "key", "decision", "subject", "state", "assignee", "rule", "action", "score", "opened_at",
    "respond_by", "complete_by", "answered_at", "closed_at", "snoozed_until",
)  # fmt: skip
"""What the JSON form says of a case, besides its title."""


def cases(
    *,
    decision: str | None = None,
    assignee: str | None = None,
    state: Annotated[list[State] | None, Parameter(negative=())] = None,
    text: str | None = None,
    overdue: Annotated[bool, Parameter(negative=())] = False,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    most: int = 50,
    here: CommandHere,
) -> None:
    """List the cases that wait for somebody, the most urgent first.

    A case that is held out stays hidden until its outcome is known.

    Args:
        decision: Only those of this decision.
        assignee: Only those that this person holds.
        state: Only those in this state; may be given more than once.
        text: Only those with this text in their key or subject.
        overdue: Only those whose deadline has passed.
        all_: Those that wait for nobody any more as well.
        most: How many at most.

    Examples:
        followthrough cases
        followthrough cases --assignee mia.chen --overdue
        followthrough cases --state completed --state overridden --json
    """
    if most < 1:
        raise NotUnderstood(f"--most is {most}; write a number from 1")
    wanted = _filter(here.layer, decision, assignee, state, all_=all_)
    now = here.clock()
    wanted = replace(wanted, text=text, overdue_at=now if overdue else None)
    found = here.layer.ledger.cases.found(wanted, most=most)
    count = here.layer.ledger.cases.count(wanted)
    titles = _titles(here.layer, found, here.zone())
    document = {"count": count, "cases": [_document(*each) for each in zip(found, titles, strict=True)]}
    here.out.answer(document, *_drawn(here, found, titles, count, now))


def _filter(
    layer: "Layer",
    decision: str | None,
    assignee: str | None,
    states: list[State] | None,
    *,
    all_: bool,
) -> "Filter":
    from decisions.ledger import Filter

    if decision is not None:
        layer.definition(decision)
    if assignee is not None:
        layer.workspace.people.person(assignee)
    ...
