"""Which program asks, in whose name, and what it may."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from decisions.definition import Definition
from decisions.errors import NotEntitled
from decisions.ledger.results import Witness
from decisions.permission import GRANTED, Act, Scope
from decisions.refusal import refusals_entered
from flows.wiring import Layer
from inbox.api.problem import Refused
from inbox.patience import Patience

VIA = "api"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Followthrough"'}

_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token: `followthrough token add NAME --as PERSON --scope SCOPE`.",
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has shown its token.

    Attributes:
        layer: Everything assembled.
        person: In whose name it acts.
        acts: What its scopes cover.
        token: The number of its token.
    """

    layer: Layer
    person: str
    acts: frozenset[Act]
    token: int

    @property
    def witness(self) -> Witness:
        """Who hands something in, as the history names it."""
        return Witness(self.person, VIA, self.token)

    def hold_to_scope(self, act: Act, about: str) -> None:
        """See that the token may do something.

        Raises:
            NotEntitled: It may not; it is entered.
        """
        if act in self.acts:
            return
        ledger, person = self.layer.ledger, self.person
        with refusals_entered(ledger, act, about, person=person, via=VIA):
            wanted = " or ".join(sorted(s for s, acts in GRANTED.items() if act in acts))
            raise NotEntitled(f"this token may not {act}; it takes the scope: {wanted}")

    def admit(self, act: Act, about: str, *written: Definition) -> None:
        """See that token and person may do something.

        Raises:
            NotEntitled: One of them may not; it is entered.
        """
        self.hold_to_scope(act, about)
        self.layer.admission.admit(self.person, act, about, *written, via=VIA)

    def may(self, act: Act, *written: Definition) -> bool:
        """Whether token and person may do something."""
        return act in self.acts and self.layer.admission.may(self.person, act, *written)


class Bearers:
    """Knows programs by their tokens.

    Args:
        layer: Everything assembled.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._patience = Patience(20, timedelta(minutes=1))

    def known(self, shown: str, address: str) -> Program:
        """Return the program that shows a token.

        Args:
            shown: What it shows.
            address: Where it asks from.

        Raises:
            Refused: The token does not count.
        """
        token = self._layer.ledger.tokens.shown(shown, self._layer.clock())
        if token is None:
            if wait := self._patience.wait(address):
                headers = {"Retry-After": str(math.ceil(wait))}
                raise Refused(429, "too many tokens that do not count; wait a minute", headers)
            self._patience.failed(address)
            raise Refused(401, "this token does not count, or no longer", _CHALLENGE)
        acts = [GRANTED[Scope(each)] for each in token.scopes]
        return Program(self._layer, token.person, frozenset[Act]().union(*acts), token.id)


def asking(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)]
) -> Program:
    """Return the program that asks.

    Raises:
        Refused: It shows no token that counts.
    """
    if shown is None:
        raise Refused(401, "show a token: Authorization: Bearer ft_…", _CHALLENGE)
    bearers: Bearers = request.app.state.bearers
    return bearers.known(shown.credentials, request.client.host if request.client else "")


Asking = Annotated[Program, Depends(asking)]
"""The parameter through which an operation is given the program that asks."""
