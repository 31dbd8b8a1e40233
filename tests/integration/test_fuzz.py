"""What nobody entitled sends gets one of four answers, changes nothing and tells nothing.

2,000 requests here; 100,000 by ``make fuzz``. What is meant are the routes that systems post to,
the personal links, and the pages as far as a path leads. Forms of known readers also answer 303,
403, 409 and 422: those are words to a person, tested with the pages.
"""

import asyncio
import logging
import os
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from connectors.slack.channel import SlackChannel
from inbox.api import API
from inbox.app import create_app
from inbox.largest import LARGEST_BODY
from tests.hostile_requests import HostileRequest, hostile_posts, hostile_requests, put
from tests.integration.test_receipts import make_company  # noqa: F401  a fixture
from tests.planted import lines_logged, told_secrets

SLACK = "http://127.0.0.1:9/api/"
"""Where nobody answers: whatever would ask Slack something would show."""
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "2000"))
CALLED = ("/cases/CSC-1/answers", "/interventions", "/outcomes", "/decisions/x/records")
TABLES = ("entries", "seals", "answers", "interventions", "receipts", "notifications", "cases")

pytestmark = pytest.mark.fault("F30")


@pytest.fixture
def company(make_company):  # noqa: F811
    made = make_company()
    channel = SlackChannel("slack", "xoxb-larkfield-1", SLACK, signing_secret="8f2c1d7a5b3e4960")
    made.layer = replace(made.layer, channels={"slack": channel})
    return made


@pytest.fixture
def app(company):
    return create_app(company.layer)


def rows(company):
    with company.layer.ledger.reading() as connection:
        return {
            table: connection.execute(sql(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in TABLES
        }


def replies(app, requests):
    async def all_of_them():
        return [(request, await put(app, request)) for request in requests]

    return asyncio.run(all_of_them())


def test_f30_hostile_requests_get_four_answers_and_change_nothing(app, company):
    before = rows(company)
    statuses = Counter()

    with lines_logged() as lines:
        for start in range(0, REQUESTS, 1_000):
            count = min(1_000, REQUESTS - start)
            for request, reply in replies(app, hostile_requests(count, seed=start)):
                statuses[reply.status] += 1
                assert reply.status in {200, 401, 404, 413}, request
                if request.method == "POST":
                    assert reply.status in {401, 413}, request
                assert reply.read <= LARGEST_BODY + 65_536
                assert b"set-cookie" not in reply.headers

    assert set(statuses) == {200, 401, 404, 413}
    assert rows(company) == before
    refused = [line for line in lines if "refused" in line]
    assert len(refused) == statuses[401]
    assert told_secrets(lines) == []


def test_f30_the_api_turns_strangers_away_and_guessers_of_tokens_for_a_while(app, company):
    before, paths = rows(company), [f"{API}{path}" for path in CALLED]

    requests = list(hostile_posts(REQUESTS // 5, paths, seed=1))
    for request in requests:
        request.headers.append((b"content-length", b"%d" % sum(map(len, request.chunks))))

    # 422: what is no JSON at all is told so before the token is looked at; the form is public.
    statuses = {reply.status for _, reply in replies(app, requests)}

    assert {401} <= statuses <= {401, 413, 422, 429}
    assert rows(company) == before


@pytest.mark.parametrize("path", ["/cases/CSC-1/acknowledge", "/me", "/answer/x/acknowledge"])
@pytest.mark.parametrize("told", [True, False])
def test_f30_a_form_larger_than_any_is_cut_short_and_not_acted_on(app, company, path, told):
    chunks = [b"note=", *[b"x" * 65_536] * 20]
    length = [(b"content-length", b"%d" % sum(map(len, chunks)))] if told else []
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    before = rows(company)

    [(_, reply)] = replies(
        app, [HostileRequest("POST", path, headers=[kind, *length], chunks=chunks)]
    )

    assert reply.status == 413
    assert reply.read <= LARGEST_BODY + 65_536
    assert rows(company) == before


@pytest.mark.parametrize("length", [b"-1", b"nonsense", b"9" * 5_000, b"\xb2"])
def test_f30_a_length_that_is_none_is_turned_away(app, length):
    request = HostileRequest("POST", "/slack/interactions", headers=[(b"content-length", length)])
    [(_, reply)] = replies(app, [request])
    assert reply.status == 413


def test_f30_what_is_not_signed_is_answered_before_anything_is_looked_up(app, company):
    class Watched(logging.Handler):
        seen = 0

        def emit(self, record):
            Watched.seen += 1

    logger, handler = logging.getLogger("sqlalchemy.engine"), Watched()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    posted = [each for each in hostile_requests(300, seed=7) if each.method == "POST"]

    replies(app, posted)

    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    assert Watched.seen == 0
