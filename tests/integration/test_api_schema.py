"""The API against its own description: nothing breaks, and no answer is left out of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from decisions.permission import Scope
from flows.wiring import Layer
from inbox.app import create_app
from tests.browsing import ACCOUNTS, company_of
from tests.company import DECISION

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance, unsupported_method,
]  # fmt: skip


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    company = company_of(
        tmp_path_factory.mktemp("api"), *ACCOUNTS, settings={"url": "http://testserver"}
    )
    yield company.layer
    company.layer.ledger.close()


@pytest.fixture(scope="module")
def token(layer: Layer) -> str:
    _, text = layer.ledger.tokens.give(
        "schemathesis", "dana.reyes", tuple(Scope), life=timedelta(days=30)
    )
    return text


OPERATIONS = [
    ("GET", "/decisions"),
    ("GET", "/decisions/{decision}/report"),
    ("POST", "/decisions/{decision}/records"),
    ("GET", "/cases"),
    ("GET", "/cases/{key}"),
    ("POST", "/cases/{key}/answers"),
    ("POST", "/interventions"),
    ("POST", "/outcomes"),
    ("GET", "/health"),
]


@pytest.fixture(scope="module")
def schema(layer: Layer):
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(layer))


def test_every_operation_there_is_is_tried(schema):
    found = [each.ok() for each in schema.get_all_operations()]

    assert sorted((each.method.upper(), each.path) for each in found) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_described_and_none_is_a_fault_of_ours(schema, token, method, path, mode):
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def holds(case):
        places = case.path_parameters or {}
        known = {"decision": DECISION, "key": "CSC-1"}
        case.path_parameters = {name: known[name] for name in places}
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    try:
        holds()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # there is nothing about it to get wrong
