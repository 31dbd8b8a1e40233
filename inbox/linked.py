"""What a personal link opens: the page of one case, as one person, and the answers sent from it.

No cookie says who reads: a link lets its person into this case and no further. The link stands in
the address that a form is sent to, so that no other site can send one.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from decisions.errors import NotEntitled
from decisions.lifecycle import Move
from flows.messages import LINK_PATH as PATH
from inbox.answers import Answers, Written
from inbox.identity import Reader, Visit
from inbox.pages import Pages
from inbox.rendering import Renderer

VIA: Final = "mail"

_SPENT: Final = (
    "This link is not one of ours, or its days are over. The case is still there: open the inbox "
    "and look for it."
)


class Linked:
    """Serves personal links.

    Args:
        renderer: Fills in the templates.
        pages: Shows the case.
        answers: Takes what is answered.
    """

    def __init__(self, renderer: Renderer, pages: Pages, answers: Answers) -> None:
        self._renderer = renderer
        self._people = renderer.layer.workspace.people
        self._links = renderer.layer.links
        self._pages, self._answers = pages, answers

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route(f"{PATH}/{{token}}", self.page)
        router.add_api_route(f"{PATH}/{{token}}/{{move}}", self.page)  # whoever goes back to it
        router.add_api_route(f"{PATH}/{{token}}/{{move}}", self.answer, methods=["POST"])
        return router

    def page(self, request: Request, token: str) -> Response:
        """Show the case as the link's person; nothing is done by looking."""
        case = self._let_in(request, token)
        if case is None:
            return self._renderer.problem(request, 404, "Nothing here any more", _SPENT)
        return self._pages.shown(request, self._pages.dossier(case))

    def answer(
        self, request: Request, token: str, move: Move, written: Annotated[Written, Form()]
    ) -> Response:
        """Take the answer of the link's person, as any other form's."""
        case = self._let_in(request, token)
        if case is None:
            return self._renderer.problem(request, 404, "Nothing here any more", _SPENT)
        here = written.model_copy(update={"back": f"{PATH}/{token}"})
        return self._answers.answer(request, case, move, here)

    def _let_in(self, request: Request, token: str) -> str | None:
        """Return the link's case, now that its person is who reads; None if it opens nothing."""
        now = self._renderer.layer.clock()
        try:
            link = self._links.read(token, now)
        except NotEntitled:
            return None
        person = self._people.people.get(link.person)
        if person is None or self._people.has_left(link.person, now):
            return None
        reader = Reader(link.person, person.name, person.zone)
        request.state.visit = Visit(reader, VIA, f"{PATH}/{token}")
        return link.case
