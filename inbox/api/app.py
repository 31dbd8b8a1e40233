"""The API as an application of its own, under the inbox's address."""

from typing import Final

from fastapi import FastAPI
from starlette.responses import JSONResponse

from flows.wiring import Layer
from inbox.api import reading, writing
from inbox.api.bearer import Bearers
from inbox.api.problem import Problem, explain_faults
from inbox.api.shape import HealthTold
from inbox.operation import Operation

API: Final = "/api/v1"

_ABOUT = """Decide, answer, and hand in what came of it, by program.

A program shows a token in the name of a person, may what that person may, and of that only what the
token's scopes name. Faults come as problem details after RFC 9457.
"""


def create_api(layer: Layer, operation: Operation) -> FastAPI:
    """Return the API over a layer.

    Args:
        layer: What it is about, and whose desk takes the answers.
        operation: Says whether all is well.
    """
    # The document alone: pages that draw it load scripts from elsewhere.
    api = FastAPI(
        title="Followthrough",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": API}],
        redirect_slashes=False,
    )
    api.state.bearers = Bearers(layer)
    api.include_router(reading.router)
    api.include_router(writing.router)

    @api.get("/health", response_model=HealthTold, responses={503: {"model": HealthTold}})
    def health() -> JSONResponse:
        """Say whether the ledger can be reached and what is due is taken up; asks for no token."""
        return operation.health()

    explain_faults(api)
    _describe(api)
    return api


def _describe(api: FastAPI) -> None:
    """Add to the document what its operations refer to and FastAPI does not know by itself."""
    document = api.openapi()
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
