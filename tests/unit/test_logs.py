import io
import json
import logging

import pytest
from pydantic import BaseModel, SecretStr

from flows import logs
from flows.logs import redacted


class Connection(BaseModel):
    url: SecretStr
    secret: SecretStr


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("token xoxb-1234-abcDEF refused", "token *** refused"),
        ("xapp-1-A0-99-ff0e", "***"),
        ("signed by whsec_c2VjcmV0c2VjcmV0", "signed by ***"),
        ("X-Slack-Signature: v0=0123456789abcdef01", "X-Slack-Signature: ***"),
        ("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", "***"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("postgresql://desk:hunter2@db/x is away", "postgresql://***@db/x is away"),
        ("smtps://desk%40x:p%40ss@mail", "smtps://***@mail"),
        ("POST https://hooks.slack.com/actions/T0/1/abc", "POST https://hooks.slack.com/***"),
        ("GET /answer/WyJtaWEi.c2ln-x_y", "GET /answer/***"),
        ("given ft_12_" + "k" * 43, "given ***"),
        ("GET /sign-in/back?code=4/abc&state=x1", "GET /sign-in/back?code=***&state=***"),
        ("?client_secret=hunter2000&code=7", "?client_secret=***&code=***"),
        ("{'password': 'hunter2000'}", "{'password': '***'}"),
        ("mail to mia.chen@larkfield.example was refused", "mail to *** was refused"),
        ("mail to zoë@larkfield.example", "mail to ***"),
    ],
)
def test_what_looks_like_a_secret_or_an_address_is_hidden(said, told):
    assert redacted(said) == told


@pytest.mark.parametrize(
    "said",
    [
        "CSC-1: mia.chen was told through slack at 2026-11-16 09:00 UTC",
        "refused a request to /slack/interactions that no connected Slack app has signed",
        "the heartbeat's address answered HTTP 500",
        "http://127.0.0.1:8484 is up",
        "slack has no token: its messages are drawn",
    ],
)
def test_what_is_none_is_told(said):
    assert redacted(said) == said


@pytest.fixture
def lines():
    """A logger of its own, and the lines that come out of it."""
    before, out = logging.getLogRecordFactory(), io.StringIO()
    logger = logging.getLogger("larkfield")
    logger.propagate = False
    handler = logging.StreamHandler(out)
    logger.addHandler(handler)
    yield logger, handler, out.getvalue
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_what_connections_hold_is_never_told_by_any_logger(lines):
    logger, _, told = lines
    logs.keep_secret(
        Connection(url=SecretStr("smtp://desk:open%2Fsesame@mail"), secret=SecretStr("plain-word"))
    )

    logger.warning("%s and %s", "plain-word", {"password is": "open/sesame"})
    logger.warning("plain-word%%")

    assert "plain-word" not in told()
    assert "sesame" not in told()
    assert told().count("***") == 3


@pytest.mark.parametrize("form", ["text", "json"])
def test_nor_by_the_traceback_of_an_error(lines, form):
    logger, handler, told = lines
    handler.setFormatter(logs._formatter(form))
    logs.keep_secret(Connection(url=SecretStr("x" * 3), secret=SecretStr("plain-word")))

    try:
        int("it was plain-word, said mia@larkfield.example")
    except ValueError:
        logger.exception("no good")

    assert "it was ***, said ***" in told()
    assert "plain-word" not in told()


def test_a_line_that_does_not_fit_its_values_stops_nothing(lines):
    logs.keep_secret()
    made = logging.getLogRecordFactory()

    record = made("larkfield", logging.WARNING, "here.py", 1, "%d of %d", ("one",), None)

    assert record.args == ("one",)


def test_a_line_of_json_holds_one_object_with_time_level_logger_and_text(lines):
    logger, handler, told = lines
    handler.setFormatter(logs._formatter("json"))

    logger.warning("two\nlines", extra={"case": "CSC-1"})

    [line] = told().splitlines()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == (
        "WARNING",
        "larkfield",
        "two\nlines",
    )
    assert said["case"] == "CSC-1"
    assert said["at"].endswith("+00:00")
