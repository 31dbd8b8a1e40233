"""What readers send: who they are, and their answers, carried to the desk.

A form names itself by a number of its own, so that the same form sent twice counts once. Whether
an answer is allowed is the desk's to say; here it is only read, and the reply shown.
"""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from decisions import lifecycle
from decisions.desk import Author, Reply
from decisions.errors import LifecycleError, NotEntitled, UnknownPerson
from decisions.ledger import Dossier
from decisions.lifecycle import Move
from inbox import identity
from inbox.identity import Reader
from inbox.moments import from_wall, next_morning
from inbox.pages import Pages, Problem
from inbox.rendering import VIA, Renderer

_NUMBER = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NO_READER = "Nothing was recorded, because it is not known who you are. Choose your name first."


class Written(BaseModel):
    """What a form says; fields that a move does not need stay empty."""

    number: str = ""
    """The form's own, made when it was shown."""
    note: str = ""
    reason: str = ""
    to: str = ""
    until: str = ""
    """On the reader's wall."""
    at: str = ""
    """When it was done, on the reader's wall; empty for now."""
    morning: bool = False
    """Until the next morning on which the reader works, whatever ``until`` says."""
    back: str = ""
    """The page to go on to."""


class Ticked(BaseModel):
    """The cases of a list that were ticked."""

    number: str = ""
    """The form's own, made when it was shown."""
    keys: list[str] = []
    back: str = "/"
    """The page to go on to."""


MOST_TICKED = 50
"""As many as a page shows."""


class Answers:
    """Takes what readers send.

    Args:
        renderer: Fills in the templates.
        pages: Shows a case again where an answer was not taken.
    """

    def __init__(self, renderer: Renderer, pages: Pages) -> None:
        self._renderer = renderer
        self._layer = renderer.layer
        self._pages = pages

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route("/me", self.choose_person, methods=["POST"])
        router.add_api_route("/acknowledge", self.acknowledge_many, methods=["POST"])
        router.add_api_route("/cases/{key}/{move}", self.answer, methods=["POST"])
        return router

    def choose_person(
        self,
        request: Request,
        person: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Remember who the reader says they are."""
        people = self._layer.workspace.people
        if self._layer.settings.signs_in:
            text = "Here people sign in; nobody is who they say they are."
            return self._renderer.problem(request, 403, "Not possible", text)
        if person not in people.people:
            return self._renderer.problem(
                request, 422, "Nobody of that name", f"Nobody in people.yaml is called {person!r}."
            )
        response = self._renderer.see_other(back, said=f"You are {people.person(person).name} now.")
        secure = self._layer.settings.inbox_url.startswith("https://")
        identity.remember(response, person, secure=secure)
        return response

    def answer(
        self, request: Request, key: str, move: Move, written: Annotated[Written, Form()]
    ) -> Response:
        """Carry an answer to the desk, then show its reply, or the case with what is wrong."""
        me = self._renderer.reader(request)
        if me is None:
            return self._renderer.problem(request, 403, "Who are you?", _NO_READER)
        dossier = self._pages.dossier(key)
        try:
            reply = self._taken(dossier, move, self._author(request, me, written), me, written)
        except (LifecycleError, UnknownPerson) as refusal:
            return self._refused(request, dossier, move, written, refusal)
        return self._renderer.see_other(written.back or f"/cases/{key}", said=reply.text)

    def acknowledge_many(self, request: Request, ticked: Annotated[Ticked, Form()]) -> Response:
        """Acknowledge every case that was ticked; those that cannot be are named."""
        me = self._renderer.admitted(request)
        if not _NUMBER.fullmatch(ticked.number):
            raise LifecycleError("this form has lost its number; open the queue anew")
        taken, refused = [], []
        for key in ticked.keys[:MOST_TICKED]:
            author = Author(me.key, VIA, f"{VIA}:{me.key}:{ticked.number}:{key}")
            try:
                self._layer.desk.acknowledge(key, author)
            except LifecycleError as refusal:
                refused.append(str(refusal))
            else:
                taken.append(key)
        said = f"{', '.join(taken) or 'nothing'} acknowledged"
        said += f"; not taken: {'; '.join(refused)}" if refused else ""
        return self._renderer.see_other(ticked.back, said=said)

    def _author(self, request: Request, me: Reader, written: Written) -> Author:
        visit = identity.visit(request)
        return Author(me.key, visit.via if visit else VIA, f"{VIA}:{me.key}:{written.number}")

    def _taken(
        self, dossier: Dossier, move: Move, author: Author, me: Reader, written: Written
    ) -> Reply:
        if not _NUMBER.fullmatch(written.number):
            raise LifecycleError("this form has lost its number; send this one instead")
        desk, key = self._layer.desk, dossier.case.key
        match move:
            case Move.ACKNOWLEDGE:
                return desk.acknowledge(key, author)
            case Move.DONE:
                acted_at = (
                    self._instant(me, written.at, asked="when it was done") if written.at else None
                )
                return desk.done(key, author, what=written.note, acted_at=acted_at)
            case Move.OVERRIDE:
                return desk.override(key, author, reason=written.reason, note=written.note)
            case Move.SNOOZE:
                return desk.snooze(key, author, until=self._until(me, written))
            case Move.REASSIGN:
                return desk.reassign(key, author, to=written.to, note=written.note)

    def _until(self, me: Reader, written: Written) -> datetime:
        hours = self._layer.workspace.people.hours(me.key)
        morning = next_morning(hours, self._layer.clock())
        if written.morning and morning is not None:
            return morning
        return self._instant(me, written.until, asked="until when")

    def _instant(self, me: Reader, wall: str, *, asked: str) -> datetime:
        try:
            return from_wall(wall, me.zone)
        except ValueError:
            raise LifecycleError(f"say {asked}, with a date and a time") from None

    def _refused(
        self,
        request: Request,
        dossier: Dossier,
        move: Move,
        written: Written,
        refusal: LifecycleError | UnknownPerson,
    ) -> Response:
        """Show the case as it stands now, with the refusal; what was written is kept."""
        dossier = self._pages.dossier(dossier.case.key)
        if isinstance(refusal, NotEntitled):
            status = 403
        elif move in lifecycle.allowed(dossier.case.state):
            status = 422  # the case would allow it: something in the form stands against it
        else:
            status = 409
        kept = written.model_dump(include={"note", "reason", "to", "until", "at"})
        problem = Problem(status, str(refusal), move, kept)
        return self._pages.shown(request, dossier, problem)
