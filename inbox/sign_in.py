"""Signing in by OpenID Connect: the provider says who somebody is, people.yaml who they are here.

Authlib speaks the protocol: code flow with PKCE, state and nonce, signature and claims of the ID
token. Of what the provider tells, nothing is kept but whom it means, and nothing is logged.
"""

import logging
import math
import warnings
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flows.settings import Settings
from inbox import identity
from inbox.patience import Patience
from inbox.rendering import Renderer

_LOG = logging.getLogger(__name__)

START: Final = "/sign-in"
BACK: Final = "/sign-in/back"
_RETURN = "return_to"

_NOT_NOW = (
    "Whoever vouches for people here cannot be reached, or gave an answer that does not hold. "
    "Try again in a minute."
)
_NOT_WHOLE = "This sign-in was begun elsewhere, too long ago, or twice. Begin it anew."
_NOBODY = (
    "You have signed in, but nobody in people.yaml has your address. Ask whoever looks after "
    "Followthrough to add you."
)


class SignIn:
    """Leads people to the provider and takes them back.

    Args:
        renderer: Fills in the templates.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._layer = renderer.layer
        self._provider, self._refusals = _provider(self._layer.settings)
        self._patience = Patience(10, timedelta(minutes=1))

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route(START, self.start)
        router.add_api_route(BACK, self.back)
        router.add_api_route("/sign-out", self.end, methods=["POST"])
        return router

    async def start(self, request: Request, back: str = "/") -> Response:
        """Lead the browser to the provider."""
        if wait := self._patience.wait(_address(request)):
            return await self._told_to_wait(request, wait)
        request.session[_RETURN] = identity.local_path(back)[:500]
        try:
            found: Response = await self._provider.authorize_redirect(
                request, self._layer.settings.inbox_url + BACK
            )
        except self._refusals as fault:
            return await self._refused(request, 502, _NOT_NOW, fault)
        return found

    async def back(self, request: Request) -> Response:
        """Take the browser back, and begin the session of whom the provider means."""
        if wait := self._patience.wait(_address(request)):
            return await self._told_to_wait(request, wait)
        return_to = identity.local_path(str(request.session.get(_RETURN, "/")))
        try:
            token = await self._provider.authorize_access_token(request)
        except self._refusals as fault:
            return await self._refused(request, 403, _NOT_WHOLE, fault)
        person = self._person(token.get("userinfo") or {})
        if person is None:
            request.session.clear()
            self._patience.failed(_address(request))
            _LOG.warning("somebody signed in whom people.yaml does not name")
            return await self._page(request, 403, "Not known here", _NOBODY)
        identity.begin_session(request, person, self._layer.clock())
        return RedirectResponse(return_to, 303)

    def end(self, request: Request) -> Response:
        """End the session."""
        request.session.clear()
        return self._renderer.see_other("/", said="You have signed out.")

    def _person(self, claims: dict[str, Any]) -> str | None:
        settings, people = self._layer.settings, self._layer.workspace.people
        key = identity.person_claimed(
            claims,
            people,
            email_claim=settings.oidc_email_claim,
            may_be_unverified=settings.oidc_unverified,
        )
        return None if key is None or people.has_left(key, self._layer.clock()) else key

    async def _told_to_wait(self, request: Request, wait: float) -> Response:
        text = "Too many tries from your address; wait a minute."
        response = await self._page(request, 429, "Not so fast", text)
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response

    async def _refused(
        self, request: Request, status: int, text: str, fault: Exception
    ) -> Response:
        if status == 403:  # not where the provider is out of reach
            self._patience.failed(_address(request))
        # Its kind alone: what a provider writes may name a person.
        _LOG.warning("a sign-in did not come about: %s", type(fault).__name__)
        request.session.clear()
        return await self._page(request, status, "Not signed in", text)

    async def _page(self, request: Request, status: int, title: str, text: str) -> Response:
        return await run_in_threadpool(self._renderer.problem, request, status, title, text)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _provider(settings: Settings) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return Authlib's client for the provider, and what it may raise."""
    from authlib.common.errors import AuthlibBaseError
    from authlib.deprecate import AuthlibDeprecationWarning

    with warnings.catch_warnings():
        # It would rather be given another HTTP library.
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.starlette_client import OAuth
    import httpx
    from joserfc.errors import JoseError

    secret = settings.oidc_client_secret
    provider = OAuth().register(
        "provider",
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "timeout": 10,
        },
    )
    # Answers that are no JSON, or lack a field, come as the last three.
    refusals = (AuthlibBaseError, JoseError, httpx.HTTPError, KeyError, ValueError, RuntimeError)
    return provider, refusals
