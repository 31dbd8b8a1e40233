import base64
import json
import secrets
import socket
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread

import pytest
from standardwebhooks import Webhook

from connectors.apprise_channel import AppriseChannel
from connectors.testing.wire import HttpAnswer, LocalServer
from connectors.webhook.channel import LONGEST_WAIT, REPAIR_WAIT, WebhookChannel
from connectors.webhook.signing import Secrets
from decisions.errors import OutOfOrder, PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.ports import AmendingChannel, Channel, wall_clock
from tests.integration.test_mail import QUESTION
from tests.planted import planted
from tests.samples import MONDAY, MovableClock


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


SECRET, OLDER = planted(new_secret()), planted(new_secret())
TAKEN = HttpAnswer(204)


class Receiver:
    """Another system: keeps what it was posted, and answers what it is told to."""

    def __init__(self):
        self.posted = []
        self.answer = TAKEN
        self.delay = 0.0

    def respond(self, request):
        self.posted.append(request)
        time.sleep(self.delay)
        return self.answer


@contextmanager
def dripping():
    """A receiver that sends a letter of a header ten times a second, for five seconds."""

    def drip():
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
                for _ in range(50):
                    connection.sendall(b"a")
                    time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks"
    thread.join()


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def url(receiver):
    with LocalServer(receiver.respond) as server:
        yield f"{server.url}/hooks/tasks"


@pytest.fixture
def channel(url):
    return WebhookChannel("crm", url, SECRET)


def raised_by(channel, kind):
    with pytest.raises(kind) as caught:
        channel.deliver(QUESTION)
    return caught.value


class TestDelivering:
    def test_it_is_a_channel_that_changes_nothing_it_has_sent(self, channel):
        assert isinstance(channel, Channel)
        assert not isinstance(channel, AmendingChannel)

    def test_what_is_posted_is_signed_by_the_published_scheme(self, channel, receiver):
        receipt = channel.deliver(QUESTION)

        [posted] = receiver.posted
        written = Webhook(SECRET).verify(posted.body, dict(posted.headers))
        assert written["type"] == "followthrough.message"
        assert posted.headers["webhook-id"] == receipt.reference
        said = written["data"]
        assert said["delivery"] == QUESTION.key
        assert said["to"]["person"] == "dana.reyes"
        assert said["facts"] == [{"label": "ARR", "text": "$80,000"}]
        assert said["answer_url"] == QUESTION.answer_url

    def test_every_try_bears_one_id_and_another_message_another(self, channel, receiver):
        for key in (QUESTION.key, QUESTION.key, "CSC-2417:0:1:omar.haddad:escalated"):
            channel.deliver(QUESTION.model_copy(update={"key": key}))

        first, again, other = [posted.headers["webhook-id"] for posted in receiver.posted]
        assert first == again != other
        assert "." not in first

    @pytest.mark.parametrize("known", [SECRET, OLDER], ids=["new", "old"])
    def test_while_a_secret_is_replaced_both_prove_it(self, url, receiver, known):
        WebhookChannel("crm", url, f"{SECRET} {OLDER}").deliver(QUESTION)

        [posted] = receiver.posted
        assert Webhook(known).verify(posted.body, dict(posted.headers))

    def test_the_receipt_carries_the_instant_of_the_clock(self, url):
        receipt = WebhookChannel("crm", url, SECRET, clock=MovableClock()).deliver(QUESTION)
        assert receipt.accepted_at == MONDAY


class TestWhatAnAnswerMeans:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_success_is_a_receipt(self, channel, receiver, status):
        receiver.answer = HttpAnswer(status)
        assert channel.deliver(QUESTION).reference

    @pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
    def test_a_refusal_is_for_good(self, channel, receiver, status):
        receiver.answer = HttpAnswer(status)
        assert str(status) in str(raised_by(channel, PermanentFailure))

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, channel, receiver, status):
        receiver.answer = HttpAnswer(status, headers={"location": "http://169.254.169.254/"})
        raised_by(channel, PermanentFailure)
        assert len(receiver.posted) == 1

    @pytest.mark.parametrize("status", [401, 403, 404, 405])
    def test_not_being_known_there_waits_for_repair(self, channel, receiver, status):
        receiver.answer = HttpAnswer(status)
        assert raised_by(channel, OutOfOrder).retry_after == REPAIR_WAIT

    @pytest.mark.parametrize(
        ("asked", "wait"),
        [
            pytest.param("30", timedelta(seconds=30), id="seconds"),
            pytest.param("999999", LONGEST_WAIT, id="too-long"),
            pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", None, id="a-date"),
            pytest.param("", None, id="nothing"),
        ],
    )
    def test_being_asked_to_wait_is_heeded_within_reason(self, channel, receiver, asked, wait):
        receiver.answer = HttpAnswer(429, headers={"retry-after": asked})
        assert raised_by(channel, TemporaryFailure).retry_after == wait

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_fault_over_there_leaves_it_unknown(self, channel, receiver, status):
        receiver.answer = HttpAnswer(status, b"<html>Bad gateway</html>")
        raised_by(channel, UnknownOutcome)

    def test_a_cut_connection_leaves_it_unknown_and_the_repeat_can_be_told(self, channel, receiver):
        receiver.answer = None
        raised_by(channel, UnknownOutcome)
        receiver.answer = TAKEN

        assert channel.find(QUESTION) is None
        channel.deliver(QUESTION)

        assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 1

    def test_silence_ends_with_the_time_out_and_is_unknown(self, url, receiver):
        class Impatient(WebhookChannel):
            timeout = timedelta(seconds=0.2)

        receiver.delay = 0.6
        raised_by(Impatient("crm", url, SECRET), UnknownOutcome)

    def test_an_answer_that_drips_in_ends_with_the_budget_and_is_unknown(self):
        class Impatient(WebhookChannel):
            budget = timedelta(seconds=0.4)

        with dripping() as url:
            begun = time.perf_counter()
            raised_by(Impatient("crm", url, SECRET), UnknownOutcome)

        assert time.perf_counter() - begun < 2

    def test_nobody_there_is_tried_again(self):
        raised_by(WebhookChannel("crm", "http://127.0.0.1:9/hooks", SECRET), TemporaryFailure)

    def test_an_endless_answer_is_not_read(self, channel, receiver):
        receiver.answer = HttpAnswer(200, b"x" * 50_000_000)
        begun = time.perf_counter()
        channel.deliver(QUESTION)
        assert time.perf_counter() - begun < 1


class TestWhereItMayPost:
    @pytest.mark.parametrize(
        "url",
        [
            "http://crm.larkfield.example/hooks",
            "http://127.0.0.1.evil.example/hooks",
            "file:///etc/passwd",
            "ftp://crm.larkfield.example",
            "https://",
            "https://user:p4ssword@crm.larkfield.example/hooks",
            "https://crm.larkfield.example/hooks#part",
            "https://[half",
        ],
    )
    def test_only_https_or_this_machine_and_the_url_is_not_quoted(self, url):
        with pytest.raises(PermanentFailure) as caught:
            WebhookChannel("crm", url, SECRET)
        assert "p4ssword" not in str(caught.value)
        assert "passwd" not in str(caught.value)

    @pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_???", "plain"])
    def test_a_secret_that_proves_nothing_is_refused_without_quoting_it(self, secret):
        with pytest.raises(PermanentFailure) as caught:
            WebhookChannel("crm", "https://crm.larkfield.example/hooks", secret)
        assert not secret or secret not in str(caught.value)


class TestChecking:
    @pytest.fixture
    def signed(self):
        now = wall_clock()
        body = json.dumps({"case": "CSC-1"}).encode()
        return Secrets(SECRET), body, Secrets(SECRET).headers(body, id_="msg_1", at=now), now

    def test_what_was_signed_just_now_is_genuine(self, signed):
        keys, body, headers, now = signed
        assert keys.signed(body, headers, now=now) == "msg_1"

    @pytest.mark.parametrize(
        ("late", "counts"),
        [
            pytest.param(timedelta(minutes=4, seconds=58), True, id="inside"),
            pytest.param(timedelta(minutes=5, seconds=1), False, id="too-old"),
            pytest.param(-timedelta(minutes=5, seconds=2), False, id="ahead"),
        ],
    )
    def test_a_signature_counts_for_five_minutes(self, signed, late, counts):
        keys, body, headers, now = signed
        assert (keys.signed(body, headers, now=now + late) is not None) is counts

    @pytest.mark.parametrize("dropped", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_a_missing_header_proves_nothing(self, signed, dropped):
        keys, body, headers, now = signed
        del headers[dropped]
        assert keys.signed(body, headers, now=now) is None

    def test_a_changed_body_or_another_secret_proves_nothing(self, signed):
        keys, body, headers, now = signed
        assert keys.signed(body + b" ", headers, now=now) is None
        assert Secrets(OLDER).signed(body, headers, now=now) is None
        assert Secrets(f"{OLDER} {SECRET}").signed(body, headers, now=now) == "msg_1"

    def test_the_library_of_the_scheme_agrees(self, signed):
        _, body, _, now = signed
        theirs = {
            "webhook-id": "msg_2",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": "v2,x " + Webhook(SECRET).sign("msg_2", now, body.decode()),
        }
        assert Secrets(SECRET).signed(body, theirs, now=now) == "msg_2"


class TestThroughApprise:
    def test_a_service_that_takes_it_has_it_but_never_the_personal_link(self, url, receiver):
        channel = AppriseChannel("room", url.replace("http", "json"), clock=MovableClock())

        receipt = channel.deliver(QUESTION)

        [posted] = receiver.posted
        said = json.loads(posted.body)
        assert said["title"] == "Dana Reyes: Call Brightwater before 3 January 2027"
        assert "91% likely to leave" in said["message"]
        assert QUESTION.answer_url not in posted.body.decode()
        assert receipt.accepted_at == MONDAY

    @pytest.mark.parametrize("answer", [None, HttpAnswer(500), HttpAnswer(404)])
    def test_everything_else_is_unknown_for_it_does_not_say(self, url, receiver, answer):
        receiver.answer = answer
        channel = AppriseChannel("room", url.replace("http", "json"), clock=MovableClock())
        raised_by(channel, UnknownOutcome)
        with pytest.raises(UnknownOutcome, match="cannot be asked"):
            channel.find(QUESTION)

    def test_an_address_that_apprise_does_not_read_is_refused_without_quoting_it(self):
        with pytest.raises(PermanentFailure) as caught:
            AppriseChannel("room", "nonsense://t0ken", clock=MovableClock())
        assert "t0ken" not in str(caught.value)
