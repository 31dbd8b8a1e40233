"""What is looked at before anybody relies on it, and what is said to do."""

from datetime import timedelta

import duckdb
import pytest

from connectors.slack.channel import SlackChannel
from connectors.slack.examination import SCOPES
from connectors.testing import FakeSlack
from decisions.desk import Author
from decisions.ledger.pulse import Backlog
from decisions.ports import Addressee, Condition
from flows.doctor import due, examined
from flows.settings import Settings
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

DANA = Addressee(person="dana.reyes", name="Dana", email="d@x.y", slack="U01DANA", zone="UTC")
LEE = Addressee(person="lee.park", name="Lee", email="lee@larkfield.example", zone="UTC")


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def slack(clock):
    with FakeSlack(clock=clock) as slack:
        slack.add_person("U01DANA", email="dana@larkfield.example")
        slack.add_person("U01LEE", email="lee@larkfield.example")
        yield slack


def look(slack, clock, people=(), *, token=None, secret="s"):
    channel = SlackChannel(
        "slack", token or slack.token, slack.url, signing_secret=secret, clock=clock
    )
    return {one.about: one for one in channel.examined(people)}


def mended(found):
    return {about: one for about, one in found.items() if one.condition is not Condition.FINE}


def look_at(folder, clock):
    found = examined(Settings(workspace=folder, home=folder / "home"), clock)
    return {one.about: one for one in found}


AGED = CHURN_SAVE_CALL.replace("match: first", "  gate: {max_age: 26h}\nmatch: first")


@pytest.mark.parametrize(
    ("age", "condition"),
    [
        pytest.param(timedelta(hours=26), Condition.FINE, id="as-old-as-it-may-be"),
        pytest.param(timedelta(hours=26, minutes=1), Condition.FAULTY, id="a-minute-older"),
    ],
)
def test_the_newest_score_is_held_against_the_gate(tmp_path, clock, age, condition):
    write_workspace(tmp_path, definition=AGED)
    write_scores(tmp_path, [{"account_id": "acme"}], scored_at=clock() - age)

    found = look_at(tmp_path, clock)["churn-save-call: newest score"]

    assert found.condition is condition
    assert found.found.startswith("26.0 h old; the gate takes 26 hours")


def test_a_gate_without_scores_is_doubtful_and_without_a_bound_not_looked_at(tmp_path, clock):
    write_workspace(tmp_path, definition=AGED)
    write_scores(tmp_path, [], scored_at=clock())
    assert look_at(tmp_path, clock)["churn-save-call: newest score"].found == "there are no scores"

    write_workspace(tmp_path)
    assert "churn-save-call: newest score" not in look_at(tmp_path, clock)


def test_whether_a_version_is_signed_and_decides_is_looked_at(tmp_path, clock):
    write_workspace(tmp_path)
    write_scores(tmp_path, [{"account_id": "acme"}], scored_at=clock())
    about = "churn-save-call: version"
    assert look_at(tmp_path, clock)[about].found == "as the file says it, live"

    signed = CHURN_SAVE_CALL + "sign_off: {by: [business], not: author}\n"
    write_workspace(tmp_path, definition=signed)
    unsigned = look_at(tmp_path, clock)[about]
    assert unsigned.condition is Condition.FAULTY
    assert "none is signed" in unsigned.found

    layer = assembled(tmp_path, clock)
    definition = layer.definition(DECISION)
    layer.board.release(definition, Author("lee.park", "command line", "1"))
    layer.board.sign(DECISION, Author("dana.reyes", "command line", "2"))
    assert look_at(tmp_path, clock)[about].condition is Condition.FINE
    (tmp_path / f"{DECISION}.yaml").write_text(signed.replace("renew\n", "stay\n"))
    changed = look_at(tmp_path, clock)[about]
    assert (changed.condition, changed.found) == (
        Condition.DOUBTFUL,
        "live, but not what the file says now",
    )
    layer.brake.halt(definition, Author("dana.reyes", "inbox", "3"), because="Scores are wrong.")
    assert look_at(tmp_path, clock)[about].found == "halted by Dana Reyes: Scores are wrong."
    layer.ledger.close()


def test_of_an_app_that_works_everything_is_fine_and_nobody_is_told(slack, clock):
    found = look(slack, clock, [DANA, LEE])

    assert mended(found) == {}
    assert found["slack: dana.reyes"].found == "found by the id U01DANA"
    assert found["slack: lee.park"].found == "found by the e-mail lee@larkfield.example"
    assert slack.messages_to("U01DANA") == []


def test_a_token_that_was_revoked_is_named_and_nothing_further_is_asked(slack, clock):
    [only] = look(slack, clock, [DANA], token="xoxb-old").values()

    assert (only.condition, only.found) == (Condition.FAULTY, "Slack answers 'invalid_auth'")
    assert "install the app once more" in only.advice


def test_a_slack_that_does_not_answer_is_nobodys_to_mend(slack, clock):
    slack.answer_html(method="auth.test")

    [only] = look(slack, clock).values()

    assert only.condition is Condition.AWAY


@pytest.mark.parametrize("missing", SCOPES)
def test_each_permission_that_is_missing_is_named_with_what_it_is_for(clock, missing):
    with FakeSlack(clock=clock, scopes=set(SCOPES) - {missing}) as slack:
        found = look(slack, clock)

    permissions = found["slack: permissions"]
    assert permissions.found == f"{missing} is missing, to {SCOPES[missing]}"


def test_people_slack_does_not_know_or_who_have_left_are_named(slack, clock):
    slack.deactivate("U01DANA")
    stranger = LEE.model_copy(update={"person": "max.doe", "email": "max@elsewhere.example"})

    found = mended(look(slack, clock, [DANA, stranger]))

    assert found["slack: dana.reyes"].found == "their account is deactivated"
    assert found["slack: max.doe"].found == "Slack knows nobody by the e-mail max@elsewhere.example"


@pytest.mark.parametrize(("minutes", "condition"), [(1, Condition.FINE), (6, Condition.FAULTY)])
def test_a_clock_that_is_off_is_told_before_buttons_stop_working(slack, minutes, condition):
    off = MovableClock(MONDAY + timedelta(minutes=minutes))

    assert look(slack, off)["slack: clock"].condition is condition


def test_without_a_signing_secret_buttons_cannot_work(slack, clock):
    assert look(slack, clock, secret=None)["slack: signing secret"].condition is Condition.FAULTY


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    folder = write_workspace(tmp_path / "work")
    return Settings(workspace=folder, home=tmp_path / "home")


def test_a_source_that_is_not_there_is_named(workspace, clock):
    found = {one.about: one for one in examined(workspace, clock)}

    missing = found["churn-save-call: churn_scores"]
    assert missing.condition is Condition.FAULTY
    assert "there is no database" in missing.found
    assert found["slack: token"].condition is Condition.DOUBTFUL
    assert found["churn-save-call: business owner"].found == "Dana Reyes"
    assert found["due messages"].found == "0 now"
    assert found["due updates of sent messages"].found == "0 now"


@pytest.mark.parametrize(
    ("hours", "said"),
    [(47, "1, the first for 47.0 h: nobody"), (48, "1, the first for 2.0 days: nobody")],
)
def test_a_long_delay_is_told_in_days(hours, said):
    found = due("steps", Backlog(1, timedelta(hours=hours)), timedelta(minutes=15))

    assert (found.about, found.condition) == ("due steps", Condition.FAULTY)
    assert found.found.startswith(said)


def test_a_workspace_with_faults_is_looked_at_no_further(workspace, clock):
    (workspace.workspace / "churn-save-call.yaml").write_text("decision: churn-save-call\n")

    [only] = examined(workspace, clock)

    assert (only.about, only.condition) == ("workspace", Condition.FAULTY)
    assert only.advice == "followthrough check names them"


def test_an_owner_who_has_left_is_named(workspace, clock):
    people = workspace.workspace / "people.yaml"
    left = "email: lee@larkfield.example, last_day: 2026-01-31,"
    people.write_text(people.read_text().replace("email: lee@larkfield.example,", left))

    found = {one.about: one for one in examined(workspace, clock)}

    owner = found["churn-save-call: technical owner"]
    assert owner.found == "Lee Park, for whom Omar Haddad stands in"


class TestSocketMode:
    def look(self, slack, clock, app_token):
        channel = SlackChannel("slack", slack.token, slack.url, app_token=app_token, clock=clock)
        return {one.about: one for one in channel.examined([])}

    def test_one_that_opens_is_fine_and_needs_no_signing_secret(self, slack, clock):
        found = self.look(slack, clock, slack.app_token)

        assert mended(found) == {}
        assert found["slack: socket mode"].found == "opens; buttons need no address"

    @pytest.mark.parametrize(
        ("token", "found", "advice"),
        [
            ("xapp-1-A0OTHER-1", "Slack answers 'invalid_auth'", "make an app-level token"),
            ("xoxb-larkfield-1", "Slack answers 'not_allowed_token_type'", "make an app-level"),
        ],
        ids=["wrong", "the-bots"],
    )
    def test_a_token_that_opens_none_is_named(self, slack, clock, token, found, advice):
        one = self.look(slack, clock, token)["slack: socket mode"]

        assert (one.condition, one.found) == (Condition.FAULTY, found)
        assert one.advice.startswith(advice)

    def test_a_token_of_another_app_is_named(self, slack, clock):
        slack.app_token = "xapp-1-A0OTHER-1"

        one = self.look(slack, clock, slack.app_token)["slack: socket mode"]

        assert one.found == "its token is of app A0OTHER, the bot's of A0FOLLOW"


@pytest.mark.parametrize("missing", ["im:write", "im:history"])
def test_conversations_that_cannot_be_opened_or_read_back_are_named(clock, missing):
    with FakeSlack(clock=clock, scopes=set(SCOPES) - {missing}) as slack:
        slack.add_person("U01DANA", email="dana@larkfield.example")
        found = look(slack, clock, [DANA])

    one = found["slack: direct messages"]
    assert (one.condition, one.found) == (
        Condition.FAULTY,
        "Slack answers 'missing_scope' to one with Dana",
    )


def test_a_messages_tab_that_is_off_is_named(slack, clock):
    slack.refuse("messages_tab_disabled", method="conversations.open")

    one = look(slack, clock, [DANA])["slack: direct messages"]

    assert one.advice.startswith("turn on the app's messages tab")


FIT = {"account_id": "acme"}
UNFIT = [
    pytest.param(
        ("    top_reason:", "    mood: string\n    top_reason:"),
        "churn-save-call: batch",
        "column 'mood' is missing",
        "mend the source, or what signal and context of churn-save-call declare",
        id="a-column-that-is-not-there",
    ),
    pytest.param(
        ("    company: string", "    company: date"),
        "churn-save-call: batch",
        "column 'company' is VARCHAR; date was expected",
        "mend the source, or what signal and context of churn-save-call declare",
        id="a-type-that-cannot-be",
    ),
    pytest.param(
        ("  table: renewals\n  on: account_id", "  table: renewals\n  on: account"),
        "churn-save-call: renewals",
        "column 'account' is missing; found are 'account_id', 'renewed', 'decided_at'",
        "mend the source, or outcome of churn-save-call",
        id="an-outcomes-key",
    ),
    pytest.param(
        ("at: decided_at\n  measure: renewed", "measure: decided_at"),
        "churn-save-call: renewals",
        "column 'decided_at' is TIMESTAMP WITH TIME ZONE; a number or a boolean was expected",
        "mend the source, or outcome of churn-save-call",
        id="an-outcomes-type",
    ),
]


@pytest.mark.parametrize(("change", "about", "said", "advice"), UNFIT)
def test_a_declared_column_is_held_against_what_the_warehouse_says(
    tmp_path, clock, change, about, said, advice
):
    write_workspace(tmp_path, definition=CHURN_SAVE_CALL.replace(*change))
    write_scores(tmp_path, [FIT], scored_at=clock())

    found = look_at(tmp_path, clock)[about]

    assert (found.condition, found.advice) == (Condition.FAULTY, advice)
    assert said in found.found


def test_a_batch_that_the_gate_would_withhold_now_is_told_beforehand(tmp_path, clock):
    write_workspace(tmp_path)
    write_scores(tmp_path, [FIT], scored_at=clock())
    assert look_at(tmp_path, clock)["churn-save-call: batch"].found == "1 rows as they are declared"

    write_scores(tmp_path, [FIT | {"arr": -1}], scored_at=clock())
    found = look_at(tmp_path, clock)["churn-save-call: batch"]

    assert found.condition is Condition.FAULTY
    assert found.found == (
        "arr: 1 of 1 rows are outside 0 and above; found -1 to -1; the next run withholds all"
    )


def test_of_a_version_that_is_a_broken_number_it_is_said_what_to_write(tmp_path, clock):
    lacks = CHURN_SAVE_CALL.replace("    model_version: string\n", "")
    write_workspace(tmp_path, definition=lacks)
    write_scores(tmp_path, [FIT | {"model_version": "2.1"}], scored_at=clock())
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE churn_scores ALTER model_version TYPE DOUBLE")

    found = look_at(tmp_path, clock)["churn-save-call: batch"].found

    assert "column 'model_version' is DOUBLE; text or a whole number was expected" in found
    assert "write versions as text, such as v2.1, or one for all in quotes" in found


def test_faults_of_connections_are_told_once_with_file_and_line(workspace, clock, monkeypatch):
    monkeypatch.delenv("WAREHOUSE", raising=False)
    path = workspace.workspace / "connections.yaml"
    path.write_text(path.read_text().replace("warehouse.duckdb", '"${WAREHOUSE}"'))

    *_, last = examined(workspace, clock)

    assert (last.about, last.condition) == ("connections.yaml:1", Condition.FAULTY)
    assert last.found == "cannot be used as written"
    assert "needs the variable WAREHOUSE" in last.advice
