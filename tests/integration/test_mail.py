import asyncio
import email
import email.policy
import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from connectors.mail.channel import REPAIR_WAIT, MailChannel
from decisions.errors import OutOfOrder, PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.ports import Addressee, AmendingChannel, Channel, Condition, Fact, Kind, Message
from tests.samples import MONDAY, MovableClock

SENDER = "Followthrough <desk@larkfield.example>"
DANA = Addressee(
    person="dana.reyes", name="Dana Reyes", email="dana@larkfield.example", zone="Europe/London"
)
QUESTION = Message(
    key="CSC-2417:0:0:dana.reyes:asked",
    kind=Kind.ASKED,
    to=DANA,
    decision="churn-save-call",
    case="CSC-2417",
    title="Call Brightwater before 3 January 2027",
    why="91% likely to leave",
    facts=(Fact(label="ARR", text="$80,000"),),
    owner="Omar Haddad",
    answer_by=MONDAY + timedelta(hours=4),
    url="https://inbox.larkfield.example/cases/CSC-2417",
    answer_url="https://inbox.larkfield.example/answer/t0ken",
)


class Postmaster:
    """What an SMTP server does with each letter; it takes all, until it is told otherwise."""

    def __init__(self):
        self.taken = []
        self.attempts = 0
        self.sender = self.recipient = self.letter = "250 OK"
        self.cut = None
        self.silent_for = 0.0

    async def handle_MAIL(  # noqa: N802  the library's name
        self, server, session, envelope, address, options
    ):
        if self.sender.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.sender

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server, session, envelope, address, options
    ):
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(  # noqa: N802  the library's name
        self, server, session, envelope
    ):
        self.attempts += 1
        if self.letter.startswith("250"):
            content = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.taken.append((envelope.rcpt_tos[0], content))
        if self.silent_for:
            await asyncio.sleep(self.silent_for)
        if self.cut:
            server.transport.abort()
        return self.letter


@pytest.fixture
def postmaster():
    return Postmaster()


@pytest.fixture
def server(postmaster):
    controller = Controller(postmaster, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def channel(server):
    return MailChannel("mail", server, SENDER, clock=MovableClock())


def _free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def part(letter, kind):
    return letter.get_body((kind,)).get_content()


class TestDelivering:
    def test_it_is_a_channel_whose_letters_cannot_be_changed_once_sent(self, channel):
        assert isinstance(channel, Channel)
        assert not isinstance(channel, AmendingChannel)

    def test_a_letter_says_the_same_as_text_and_as_html(self, channel, postmaster):
        channel.deliver(QUESTION)

        [(to, letter)] = postmaster.taken
        assert (to, letter["From"], letter["To"]) == (DANA.email, SENDER, DANA.email)
        assert letter["Subject"] == "Call Brightwater before 3 January 2027"
        for kind in ("plain", "html"):
            said = part(letter, kind)
            for piece in ("91% likely to leave", "ARR", "$80,000", "Omar Haddad", "CSC-2417"):
                assert piece in said
            assert "Answer by Mon 16 Nov, 13:00 (Europe/London)" in said
            assert QUESTION.answer_url in said

    def test_the_receipt_names_the_letter_and_when_it_was_taken(self, channel, postmaster):
        receipt = channel.deliver(QUESTION)

        [(_, letter)] = postmaster.taken
        assert receipt.reference == letter["Message-ID"]
        assert receipt.accepted_at == MONDAY

    def test_every_try_bears_one_message_id_and_another_message_another(self, channel, postmaster):
        channel.deliver(QUESTION)
        channel.deliver(QUESTION.model_copy(update={"lead": "Repeat"}))
        channel.deliver(QUESTION.model_copy(update={"key": "CSC-2417:0:1:dana.reyes:escalated"}))

        first, again, other = [letter["Message-ID"] for _, letter in postmaster.taken]
        assert first == again != other
        assert len({letter["References"] for _, letter in postmaster.taken}) == 1

    def test_no_value_writes_a_header_a_line_or_a_tag_of_its_own(self, channel, postmaster):
        hostile = "x\r\nBcc: all@larkfield.example\u2028\x00\ud800<script>alert(1)</script>"
        said = {"title": hostile, "why": hostile, "owner": hostile, "lead": hostile}
        facts = (Fact(label=hostile, text=hostile),)

        channel.deliver(QUESTION.model_copy(update={**said, "facts": facts}))

        [(to, letter)] = postmaster.taken
        assert to == DANA.email
        assert letter["Bcc"] is None
        assert "<script" not in part(letter, "html")
        assert not [x for x in part(letter, "plain").splitlines() if x.startswith("Bcc:")]

    def test_without_a_link_of_ones_own_it_names_the_page(self, channel, postmaster):
        channel.deliver(QUESTION.model_copy(update={"answer_url": None}))

        [(_, letter)] = postmaster.taken
        assert QUESTION.url in part(letter, "plain")
        assert f'href="{QUESTION.url}"' in part(letter, "html")

    def test_an_address_beyond_ascii_is_mailed_where_the_server_takes_it(self, channel, postmaster):
        to = DANA.model_copy(update={"email": "zoë@larkfield.example"})

        channel.deliver(QUESTION.model_copy(update={"to": to}))

        assert [taken for taken, _ in postmaster.taken] == ["zoë@larkfield.example"]


class TestWhatARefusalMeans:
    def test_a_refused_person_is_out_of_reach_here(self, channel, postmaster):
        postmaster.recipient = "550 no such user"
        with pytest.raises(PermanentFailure, match=r"mail to dana\.reyes was refused with 550"):
            channel.deliver(QUESTION)
        assert postmaster.attempts == 0

    @pytest.mark.parametrize("place", ["sender", "recipient", "letter"])
    def test_a_refusal_for_now_is_tried_again(self, channel, postmaster, place):
        setattr(postmaster, place, "451 greylisted, come back")
        with pytest.raises(TemporaryFailure, match="451"):
            channel.deliver(QUESTION)
        assert postmaster.taken == []

    def test_a_refused_letter_is_refused_for_good(self, channel, postmaster):
        postmaster.letter = "554 looks like spam"
        with pytest.raises(PermanentFailure, match="the letter was refused with 554"):
            channel.deliver(QUESTION)

    def test_a_refused_sender_waits_for_somebody_to_mend_it(self, channel, postmaster):
        postmaster.sender = "553 not allowed to send as that"
        with pytest.raises(OutOfOrder, match="553; mend the sender") as caught:
            channel.deliver(QUESTION)
        assert caught.value.retry_after == REPAIR_WAIT

    def test_nobody_there_is_tried_again(self):
        channel = MailChannel("mail", f"smtp://127.0.0.1:{_free_port()}", SENDER)
        with pytest.raises(TemporaryFailure, match="did not answer"):
            channel.deliver(QUESTION)

    def test_a_cut_after_the_letter_leaves_its_fate_unknown(self, channel, postmaster):
        postmaster.cut = True
        with pytest.raises(UnknownOutcome, match="it may have"):
            channel.deliver(QUESTION)
        assert len(postmaster.taken) == 1

    def test_silence_after_the_letter_ends_with_the_budget_and_is_unknown(self, server, postmaster):
        class Impatient(MailChannel):
            budget = timedelta(seconds=0.4)

        postmaster.silent_for = 0.8
        with pytest.raises(UnknownOutcome):
            Impatient("mail", server, SENDER).deliver(QUESTION)

    def test_of_an_unknown_fate_nobody_can_be_asked(self, channel):
        with pytest.raises(UnknownOutcome, match="cannot be asked of e-mail"):
            channel.find(QUESTION)


class TestBeingLetIn:
    @pytest.fixture
    def guarded(self, postmaster):
        def known(server, session, envelope, mechanism, login):
            return AuthResult(success=login.password == b"s3cret/pass", handled=False)

        controller = Controller(
            postmaster,
            hostname="127.0.0.1",
            port=_free_port(),
            authenticator=known,
            auth_require_tls=False,
        )
        controller.start()
        yield controller.port
        controller.stop()

    def test_user_and_password_stand_in_the_url(self, guarded, postmaster):
        url = f"smtp://desk:s3cret%2Fpass@127.0.0.1:{guarded}"
        MailChannel("mail", url, SENDER).deliver(QUESTION)
        assert len(postmaster.taken) == 1

    def test_a_wrong_password_waits_for_repair_and_is_not_told(self, guarded):
        channel = MailChannel("mail", f"smtp://desk:wr0ng@127.0.0.1:{guarded}", SENDER)
        with pytest.raises(OutOfOrder, match="does not let us in") as caught:
            channel.deliver(QUESTION)
        assert caught.value.retry_after == REPAIR_WAIT
        assert "wr0ng" not in str(caught.value) + repr(channel)

    def test_another_machine_is_told_nothing_before_it_speaks_tls(self, postmaster):
        controller = Controller(postmaster, hostname="127.0.0.2", port=_free_port("127.0.0.2"))
        controller.start()
        channel = MailChannel("mail", f"smtp://desk:pass@127.0.0.2:{controller.port}", SENDER)
        with pytest.raises(OutOfOrder, match="offers no TLS"):
            channel.deliver(QUESTION)
        controller.stop()
        assert postmaster.taken == []

    @pytest.mark.parametrize("url", ["https://desk:pass@host", "smtp://", "mail", "smtp://h:x"])
    def test_an_address_of_another_form_is_refused_without_quoting_it(self, url):
        with pytest.raises(PermanentFailure, match="smtps://user:password@host") as caught:
            MailChannel("mail", url, SENDER)
        assert "desk:pass" not in str(caught.value)


class TestExamining:
    def test_a_server_that_answers_is_fine_and_nothing_is_mailed(self, channel, postmaster):
        [found] = channel.examined([DANA])
        assert found.condition is Condition.FINE
        assert postmaster.attempts == 0

    def test_a_server_that_is_away_is_said_to_be(self):
        channel = MailChannel("mail", f"smtp://127.0.0.1:{_free_port()}", SENDER)
        [found] = channel.examined([DANA])
        assert found.condition is Condition.AWAY
        assert found.found == "the server did not answer (nothing listens there); it is tried again"
