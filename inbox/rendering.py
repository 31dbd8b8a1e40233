"""Pages from templates: who reads, what time it is for them, and what they were just told."""

import secrets
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from decisions.definition import Definition
from decisions.errors import LedgerError
from decisions.ledger import SYSTEM
from decisions.ledger.records import Standing
from decisions.permission import ALLOWED, Act, roles_of
from flows.wiring import Layer
from inbox import identity
from inbox.identity import Reader, Stranger
from inbox.moments import Watch, span

SAID: Final = "followthrough_said"
"""The cookie that carries what a reader was told over to the page they are sent to."""

VIA: Final = "inbox"
"""How the ledger names what is done on these pages."""

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST_SAID = 500


class Renderer:
    """Fills in templates.

    Attributes:
        layer: What the pages are about.

    Args:
        layer: What the pages are about.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"name": self.name, "span": span}
        self._environment.globals |= {
            "decisions": sorted(layer.workspace.decisions),
            "is_local": not layer.settings.signs_in,
            "halts": self.halts,
            "nonce": lambda: secrets.token_urlsafe(16),
        }

    def halts(self) -> list[Standing]:
        """Return the halts that hold; none where the ledger cannot be asked."""
        try:
            return self.layer.ledger.releases.halts()
        except LedgerError:
            return []

    def reader(self, request: Request) -> Reader | None:
        """Return who reads, or None while that is not known."""
        settings, people = self.layer.settings, self.layer.workspace.people
        return identity.reader(request, people, self.layer.clock(), signs_in=settings.signs_in)

    def admitted(
        self, request: Request, act: Act = Act.READ, *written: Definition, about: str = ""
    ) -> Reader:
        """Return who reads, once it is sure that they may.

        Args:
            request: What is answered.
            act: What they want to do.
            written: The decision it is about, if it is about one.
            about: What it is about, for the history of refusals; else the page.

        Raises:
            Stranger: It is not known who they are.
            NotEntitled: They may not.
        """
        found = self.reader(request)
        if found is None:
            raise Stranger
        about = about or request.url.path
        self.layer.admission.admit(found.key, act, about, *written, via=VIA)
        return found

    def watch(self, reader: Reader | None) -> Watch:
        """Return the present instant and the reader's zone; UTC while nobody is known."""
        return Watch(reader.zone if reader else "UTC", self.layer.clock())

    def name(self, key: str | None) -> str:
        """Return a person's name; whoever has left ``people.yaml`` goes by their key."""
        if key is None:
            return "nobody"
        if key == SYSTEM:
            return "Followthrough"
        person = self.layer.workspace.people.people.get(key)
        return person.name if person else key

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return the template filled in; what the reader was told is shown once.

        Args:
            request: What is answered.
            template: Name of a file in ``templates/``.
            status: HTTP status.
            values: What the template names besides what every page has.
        """
        reader = self.reader(request)
        said = unquote(request.cookies.get(SAID, ""))[:_LONGEST_SAID]
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        known = {
            "me": reader,
            "keeps": self._keeps(reader),
            "watch": self.watch(reader),
            "here": here if request.method == "GET" else "/",
            "path": request.url.path,
            "said": said,
        }
        text = self._environment.get_template(template).render(known | values)
        response = HTMLResponse(text, status, headers={"Cache-Control": "no-store"})
        if said:
            response.delete_cookie(SAID, httponly=True, samesite="strict")
        return response

    def _keeps(self, reader: Reader | None) -> bool:
        """Whether the ledger's page is for them; the page itself asks more exactly."""
        if reader is None:
            return False
        workspace, now = self.layer.workspace, self.layer.clock()
        held = roles_of(reader.key, workspace.decisions.values(), workspace.people, now)
        return bool(held & ALLOWED[Act.SEARCH])

    def problem(self, request: Request, status: int, title: str, text: str) -> Response:
        """Return a page that says what went wrong and what to do."""
        return self.page(request, "problem.html", status, title=title, text=text)

    def see_other(self, back: str, *, said: str) -> Response:
        """Send the reader to a page of ours, where they read what they were told.

        Args:
            back: Path and query, as a form named it; anything else leads to the queue.
            said: One sentence.
        """
        response = RedirectResponse(identity.local_path(back), 303)
        value = quote(said[:_LONGEST_SAID])
        response.set_cookie(SAID, value, max_age=60, httponly=True, samesite="strict")
        return response
