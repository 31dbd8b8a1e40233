"""The pages: the reader's queue, one case, messages, all cases, runs. Nothing here writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from decisions.definition import Definition
from decisions.entitlement import entitled
from decisions.errors import LifecycleError, NotEntitled
from decisions.ledger import Dossier, Filter
from decisions.ledger.records import Case, CaseState
from decisions.lifecycle import Move
from decisions.permission import Act
from decisions.wording import shown_facts
from inbox import identity, views
from inbox.identity import Reader
from inbox.moments import next_morning
from inbox.rendering import Renderer
from inbox.timeline import Teller, through
from inbox.views import WAITING, Row
from inbox.wanted import Wanted

PAGE_SIZE: Final = 50
MOST_RUNS: Final = 50
MOST_ESCALATED: Final = 20
"""Cases shown to somebody who was told of them because nobody had answered."""

MOST_ELSEWHERE: Final = 20
"""Cases of each kind shown that somebody else holds."""

HELD_OUT: Final = "held out"
_STATES: Final = {
    "": tuple(state for state in CaseState if state is not CaseState.HELD_OUT),
    "waiting": WAITING,
    **{state.value: (state,) for state in CaseState if state is not CaseState.HELD_OUT},
    HELD_OUT: (CaseState.HELD_OUT,),
}
"""What the filter offers; held-out cases are shown only to the owners of their decision."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer was not taken, shown on the case's page.

    Attributes:
        status: HTTP status.
        text: What was asked, what was found, what to do.
        move: What was to be done.
        written: What was written in the form, so that nobody has to write it twice.
    """

    status: int
    text: str
    move: Move
    written: Mapping[str, str]


class Pages:
    """What can be read.

    Args:
        renderer: Fills in the templates.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._layer = renderer.layer
        self._people = renderer.layer.workspace.people
        self._definitions: dict[int, Definition] = {}

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route("/", self.queue)
        router.add_api_route("/everybody", self.everybody)
        router.add_api_route("/messages", self.messages)
        router.add_api_route("/cases", self.cases)
        router.add_api_route("/cases/{key}", self.case)
        router.add_api_route("/runs", self.runs)
        router.add_api_route("/me", self.me)
        return router

    def queue(self, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
        """Show what waits for the reader, the most urgent first."""
        me = self._renderer.admitted(request)
        narrowed = wanted.narrowed(self._people, self._layer.clock())
        filter_ = replace(narrowed, assignee=me.key, assignees=None)
        mine = Filter(assignee=me.key)
        return self._listing(
            request,
            "queue.html",
            filter_,
            wanted,
            waiting=self._layer.ledger.cases.count(mine),
            escalated=[
                self._row(case, me)
                for case in self._layer.ledger.cases.escalated_to(me.key, most=MOST_ESCALATED)
            ],
            elsewhere=self._elsewhere(me),
        )

    def everybody(self, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
        """Show what waits for anybody, and for whom how much."""
        self._renderer.admitted(request)
        filter_ = wanted.narrowed(self._people, self._layer.clock())
        held = self._layer.ledger.cases.held_by()
        by_count = sorted(held.items(), key=lambda one: (-one[1], self._renderer.name(one[0])))
        return self._listing(
            request, "everybody.html", filter_, wanted, held=by_count, managers=self._managers()
        )

    def cases(self, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
        """Show all cases there are; held-out ones to the owners of their decision alone."""
        me = self._renderer.admitted(request)
        owned = self._owned(me)
        states = _STATES.get(wanted.state, _STATES[""])
        if wanted.state == HELD_OUT and wanted.decision not in owned:
            states = ()
        elif wanted.overdue:
            states = tuple(state for state in states if state in WAITING)
        filter_ = Filter(
            decision=wanted.decision or None,
            assignee=wanted.assignee or None,
            states=states,
            text=wanted.text or None,
            overdue_at=self._layer.clock() if wanted.overdue else None,
            assignees=self._people.team(wanted.team) if wanted.team else None,
            least_value=wanted.least,
        )
        people = sorted(self._people.people, key=self._renderer.name)
        offered = [state for state in _STATES if state and (state != HELD_OUT or owned)]
        return self._listing(
            request,
            "cases.html",
            filter_,
            wanted,
            people=people,
            states=offered,
            owned=owned,
            managers=self._managers(),
        )

    def case(self, request: Request, key: str) -> Response:
        """Show one case with everything that happened to it."""
        self._renderer.admitted(request)
        return self.shown(request, self.dossier(key))

    def messages(self, request: Request) -> Response:
        """Show what the reader was sent, as it looks in Slack, latest first."""
        me = self._renderer.admitted(request)
        sent = self._layer.ledger.outbox.sent_to(me.key, most=PAGE_SIZE)
        shown = [(one, views.drawn(one), through(one)) for one in sent]
        return self._renderer.page(request, "messages.html", shown=shown)

    def runs(self, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
        """Show the latest runs, newest first."""
        self._renderer.admitted(request)
        latest = self._layer.ledger.runs.latest(wanted.decision or None, most=MOST_RUNS)
        drifted = self._layer.ledger.drifts.of_runs(run.id for run in latest)
        return self._renderer.page(
            request, "runs.html", runs=latest, drifted=drifted, wanted=wanted
        )

    def me(self, request: Request, back: str = "") -> Response:
        """Ask who the reader is, and remember where they came from."""
        if self._layer.settings.signs_in:
            known = self._renderer.reader(request) is not None
            return self._renderer.page(
                request, "sign_in.html", 200 if known else 401, back=back or request.url.path
            )
        held = self._layer.ledger.cases.held_by()
        present = self._present()
        return self._renderer.page(
            request,
            "who.html",
            people=sorted(present, key=lambda key: (-held.get(key, 0), self._renderer.name(key))),
            held=held,
            back=back or request.url.path,
            here=back or "/",
        )

    def dossier(self, key: str) -> Dossier:
        """Return the case and its history.

        Raises:
            HTTPException: There is no such case; 404.
        """
        try:
            return self._layer.ledger.cases.dossier(key)
        except LifecycleError:
            raise HTTPException(
                404, f"There is no case {key!r}. Look for it among all cases."
            ) from None

    def shown(self, request: Request, dossier: Dossier, problem: Problem | None = None) -> Response:
        """Return the page of a case, with what kept an answer from being taken.

        Args:
            request: What is answered.
            dossier: The case and its history.
            problem: Why an answer was not taken, if one was not.
        """
        me, visit = self._renderer.reader(request), identity.visit(request)
        watch = self._renderer.watch(me)
        case, definition = dossier.case, dossier.definition
        if case.state == CaseState.HELD_OUT and self._is_refused(request, dossier):
            return self._renderer.page(request, "held_out.html", 403, key=case.key)
        teller = Teller(self._renderer.name, watch.written)
        return self._renderer.page(
            request,
            "case.html",
            problem.status if problem else 200,
            here=f"/cases/{case.key}",
            answer_at=visit.path if visit else f"/cases/{case.key}",
            row=self._row(case, me),
            dossier=dossier,
            facts=shown_facts(definition, case.action, case.facts, watch.zone),
            other_facts=views.other_facts(case, definition, watch.zone),
            owners=views.owners(definition, self._people, watch.now),
            changed=views.changed(dossier, watch.zone),
            next_step=views.next_step(case, definition, self._people),
            is_due=case.due_at is not None and case.due_at <= watch.now,
            events=teller.events(dossier),
            messages=[(one, views.drawn(one), through(one)) for one in dossier.notifications],
            problem=problem,
            siblings=self._siblings(case, me),
            **self._answering(me, dossier),
        )

    def _siblings(self, case: Case, me: Reader | None) -> list[Case]:
        """Return the subject's other cases, newest first; held-out ones to owners alone."""
        written = self._layer.workspace.decisions.get(case.decision)
        may_see = me and written and self._layer.admission.may(me.key, Act.SEE_HELD_OUT, written)
        found = self._layer.ledger.cases.about(case.decision, case.subject)
        return [
            each
            for each in found
            if each.id != case.id and (may_see or each.state != CaseState.HELD_OUT)
        ]

    def _answering(self, me: Reader | None, dossier: Dossier) -> dict[str, Any]:
        """Return what the forms offer, and whether the reader may fill them in."""
        case, now = dossier.case, self._layer.clock()
        told = {one.recipient for one in dossier.notifications if one.sent_at}
        owners = dossier.definition.owners
        may = entitled(self._people, owners, assignee=case.assignee, told=told, at=now)
        hours = self._people.hours(me.key) if me else None
        return {
            "entitled": sorted(may, key=self._renderer.name),
            "may_answer": me is not None and me.key in may,
            "reasons": dossier.definition.actions[case.action].override_reasons,
            "morning": next_morning(hours, now) if hours else None,
            "colleagues": [key for key in self._present() if key != case.assignee],
        }

    def _present(self) -> list[str]:
        """Return everybody who has not left, by name."""
        now = self._layer.clock()
        keys = [key for key in self._people.people if not self._people.has_left(key, now)]
        return sorted(keys, key=self._renderer.name)

    def _listing(
        self,
        request: Request,
        template: str,
        filter_: Filter,
        wanted: Wanted,
        **values: Any,
    ) -> Response:
        page = min(max(1, wanted.page), 1_000_000)
        cases = self._layer.ledger.cases
        found = cases.found(filter_, most=PAGE_SIZE, skip=(page - 1) * PAGE_SIZE)
        count = cases.count(filter_)
        me = self._renderer.reader(request)
        return self._renderer.page(
            request,
            template,
            rows=[self._row(case, me) for case in found],
            count=count,
            first=(page - 1) * PAGE_SIZE + 1,
            around=list(views.pages_around(page, count, PAGE_SIZE)),
            wanted=wanted,
            **values,
        )

    def _row(self, case: Case, me: Reader | None) -> Row:
        watch = self._renderer.watch(me)
        hours = self._people.hours(me.key) if me else None
        definition = self._definition_of(case)
        return views.row(case, definition, zone=watch.zone, now=watch.now, hours=hours)

    def _definition_of(self, case: Case) -> Definition:
        """Return the pinned definition; a version never changes, so it is read once."""
        if case.version_id not in self._definitions:
            self._definitions[case.version_id] = self._layer.ledger.cases.definition_of(case)
        return self._definitions[case.version_id]

    def _managers(self) -> list[str]:
        return sorted(self._people.managers, key=self._renderer.name)

    def _elsewhere(self, me: Reader) -> list[tuple[str, list[Row]]]:
        """Return what is the reader's and in the hands of somebody else, by why it is there."""
        cases = self._layer.ledger.cases
        found = {
            "Held in your place": cases.covered(me.key, most=MOST_ELSEWHERE),
            "Handed over by you": cases.handed_over(me.key, most=MOST_ELSEWHERE),
        }
        return [
            (why, [self._row(each, me) for each in held]) for why, held in found.items() if held
        ]

    def _owned(self, me: Reader) -> list[str]:
        """Return the decisions whose held-out cases the reader may see."""
        may, decisions = self._layer.admission.may, self._layer.workspace.decisions
        return [name for name, one in decisions.items() if may(me.key, Act.SEE_HELD_OUT, one)]

    def _is_refused(self, request: Request, dossier: Dossier) -> bool:
        """Whether a case that is held out is none of the reader's; that they asked is entered."""
        written = self._layer.workspace.decisions.get(dossier.case.decision)
        said = [dossier.definition, *([written] if written else [])]
        try:
            self._renderer.admitted(request, Act.SEE_HELD_OUT, *said, about=dossier.case.key)
        except NotEntitled:
            return True
        return False
