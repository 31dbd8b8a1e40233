"""The pages: the reader's queue, one case, messages, all cases, runs. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from decisions.definition import Definition
from decisions.errors import LifecycleError
from decisions.ledger import Dossier, Filter
from decisions.ledger.records import Case, CaseState
from decisions.lifecycle import Move
from decisions.ownership import UnknownPerson
from decisions.ports import Kind
from inbox import views
from inbox.moments import Watch, next_morning
from inbox.rendering import Renderer
from inbox.timeline import Teller, through
from inbox.views import WAITING, Row

PAGE_SIZE: Final = 50
MOST_RUNS: Final = 50
MOST_ESCALATED: Final = 20
"""Cases shown to somebody who was told of them because nobody had answered."""

HELD_OUT: Final = "held out"
_STATES: Final = {
    "": tuple(state for state in CaseState if state is not CaseState.HELD_OUT),
    "waiting": WAITING,
    **{state.value: (state,) for state in CaseState if state is not CaseState.HELD_OUT},
    HELD_OUT: (CaseState.HELD_OUT,),
}
"""What the filter offers; held-out cases are shown only to the owners of their decision."""


class Wanted(BaseModel):
    """What a reader wants to see, as the filter's fields say it; empty does not narrow."""

    decision: str = ""
    assignee: str = ""
    state: str = ""
    text: str = ""
    overdue: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer was not taken, shown on the case's page.

    Attributes:
        status: HTTP status.
        text: What was asked, what was found, what to do.
        move: What was to be done.
        written: What was written in the form, so that nobody writes it twice.
    """

    status: int
    text: str
    move: Move | None = None
    written: dict[str, str] = field(default_factory=dict)
