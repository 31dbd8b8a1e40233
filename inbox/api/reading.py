"""What programs read: decisions, cases, reports."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query

from decisions.definition import Definition
from decisions.errors import LifecycleError
from decisions.ledger import Dossier, Filter
from decisions.ledger.records import Case, CaseState
from decisions.permission import Act
from decisions.wording import title, why
from flows.wiring import Layer
from inbox.api.bearer import Asking, Program
from inbox.api.problem import Refused, documented
from inbox.api.shape import CasePage, CaseTold, DecisionListed, listed, told

router = APIRouter(responses=documented(401, 403, 422, 429, 503))

_SHOWN = tuple(state for state in CaseState if state is not CaseState.HELD_OUT)


@router.get("/decisions")
def decisions(asking: Asking) -> list[DecisionListed]:
    """List the decisions."""
    asking.admit(Act.READ, "decisions")
    layer = asking.layer
    halted = {each.decision for each in layer.ledger.releases.halts()}
    return [
        DecisionListed(
            decision=name,
            question=each.purpose.question,
            business=each.owners.business,
            technical=each.owners.technical,
            halted=name in halted,
            waiting=layer.ledger.cases.count(Filter(decision=name)),
        )
        for name, each in sorted(layer.workspace.decisions.items())
    ]


@router.get("/decisions/{decision}/report", responses=documented(404))
def report(asking: Asking, decision: str) -> dict[str, Any]:
    """Return the effectiveness report of a decision that was written last."""
    asking.admit(Act.READ, decision)
    known_decision(asking.layer, decision)
    folder = asking.layer.settings.reports_folder
    written = sorted(folder.glob(f"{decision}*.json"), key=lambda file: file.stat().st_mtime)
    for file in reversed(written):
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if document.get("about", {}).get("decision") == decision:
            return document
    raise Refused(404, f"no report on {decision} was written yet")


@router.get("/cases", responses=documented(404))
def cases(
    asking: Asking,
    decision: str | None = None,
    assignee: str | None = None,
    state: CaseState | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CasePage:
    """List cases, newest first; held-out ones to the owners of their decision alone."""
    asking.admit(Act.READ, "cases")
    if state is CaseState.HELD_OUT:
        if decision is None:
            raise Refused(422, "held-out cases are listed by decision; name one")
        asking.admit(Act.SEE_HELD_OUT, decision, known_decision(asking.layer, decision))
    wanted = Filter(decision=decision, assignee=assignee, states=(state,) if state else _SHOWN)
    found = asking.layer.ledger.cases.newest(wanted, before=_read(cursor), most=limit + 1)
    page = found[:limit]
    following = _written(page[-1]) if len(found) > limit else None
    definitions = _definitions(asking.layer, page)
    return CasePage(
        cases=[listed(each, _title(each, definitions[each.version_id])) for each in page],
        next=following,
    )


@router.get("/cases/{key}", responses=documented(404))
def case(asking: Asking, key: str) -> CaseTold:
    """Return one case with everything that happened to it."""
    asking.admit(Act.READ, "cases")
    dossier = known_case(asking, key)
    found, definition = dossier.case, dossier.definition
    reason = why(
        definition, rule=found.rule, facts=found.facts, opened_at=found.opened_at, zone="UTC"
    )
    return told(dossier, _title(found, definition), reason)


def known_decision(layer: Layer, decision: str) -> Definition:
    """Return a decision of the workspace.

    Raises:
        Refused: There is none of that name.
    """
    if decision not in layer.workspace.decisions:
        raise Refused(404, f"there is no decision {decision!r}")
    return layer.workspace.decisions[decision]


def dossier_of(asking: Program, key: str) -> Dossier:
    """Return a case, whether or not the program may see it.

    Raises:
        Refused: There is no such case.
    """
    try:
        return asking.layer.ledger.cases.dossier(key)
    except LifecycleError:
        raise Refused(404, f"there is no case {key!r}") from None


def known_case(asking: Program, key: str) -> Dossier:
    """Return a case that the program may see.

    Raises:
        Refused: There is no such case.
        NotEntitled: It is held out, and the program's person does not own its decision.
    """
    dossier = dossier_of(asking, key)
    if dossier.case.state == CaseState.HELD_OUT:
        asking.admit(Act.SEE_HELD_OUT, key, dossier.definition)
    return dossier


def _definitions(layer: Layer, page: list[Case]) -> dict[int, Definition]:
    firsts = {each.version_id: each for each in page}
    return {number: layer.ledger.cases.definition_of(each) for number, each in firsts.items()}


def _title(each: Case, definition: Definition) -> str:
    return title(
        definition, action=each.action, facts=each.facts, opened_at=each.opened_at, zone="UTC"
    )


def _written(last: Case) -> str:
    return urlsafe_b64encode(f"before {last.id}".encode()).decode().rstrip("=")


def _read(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        word, _, number = text.partition(" ")
        before = int(number)
    except (binascii.Error, ValueError):
        word, before = "", 0
    if word != "before" or not 0 < before < 2**63:
        raise Refused(422, "this cursor is none of ours; begin without one")
    return before
