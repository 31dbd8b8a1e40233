import os
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from decisions.errors import NotUnderstood
from decisions.ports import Kind
from flows.demo import _quiet_prefect
from flows.demo.clock import MovableClock
from flows.demo.company import CALL_EFFECT, HORIZON, Company
from flows.demo.people import Staff, Told
from flows.demo.result import Estimate
from flows.demo.stage import MARKER, account_managers, cleared, grant_leave
from flows.demo.timeline import RUNS, Step, default_end, first_monday, moments
from flows.settings import Settings
from flows.wiring import read_workspace
from tests.samples import MONDAY, definition, people

TUESDAY = datetime(2026, 11, 17, 11, tzinfo=UTC)
BEGINS_ON = date(2026, 5, 25)
TEAM = ("mia.chen", "ben.okafor")


def company(*, accounts: int = 2_000, seed: int = 7) -> Company:
    return Company(accounts=accounts, managers=TEAM, begins_on=BEGINS_ON, seed=seed)


def risks_and_losses(seed: int) -> np.ndarray:
    """Return what the model says of the accounts near renewal, and whether each was lost."""
    made = company(accounts=20_000, seed=seed)
    due = made.table("renewals", after(days=0) + HORIZON)
    both = made.table("churn_scores", after(days=0)).join(due, "account_id", join_type="inner")
    lost = ~both.column("renewed").to_numpy()
    return np.array([both.column("churn_probability").to_numpy(), lost])


def after(**span: float) -> datetime:
    return datetime(2026, 5, 25, tzinfo=UTC) + timedelta(**span)


def told(kind: str = Kind.ASKED, *, person: str = "mia.chen", state: str = "open") -> Told:
    return Told(
        case="CSC-1",
        account="A00001",
        action="call",
        state=state,
        kind=kind,
        person=person,
        assignee="mia.chen",
        at=MONDAY,
        reasons=("already in contact", "data is wrong"),
    )


def staff(*, seed: int = 7) -> Staff:
    return Staff(people(), TEAM, owner="dana.reyes", seed=seed)


class TestCompany:
    def test_the_same_seed_makes_the_same_company(self):
        one, same, other = company(), company(), company(seed=8)

        at = after(weeks=3)
        assert one.table("churn_scores", at).equals(same.table("churn_scores", at))
        assert not one.table("churn_scores", at).equals(other.table("churn_scores", at))

    def test_no_two_accounts_share_a_name(self):
        names = company(accounts=20_000).table("accounts", after(days=0)).column("company")

        assert len(names.unique()) == 20_000

    def test_the_scores_are_calibrated(self):
        said, left = np.concatenate([risks_and_losses(seed) for seed in range(5)], axis=1)

        for low in (0.0, 0.2, 0.4, 0.6, 0.8):
            band = (low <= said) & (said < low + 0.2)
            assert left[band].mean() == pytest.approx(said[band].mean(), abs=0.05)

    def test_a_call_adds_what_it_is_said_to_add(self):
        made = company()
        called = np.ones(len(made.ids), dtype=bool)
        added = made.chance_to_renew(called) - made.chance_to_renew(~called)

        assert added.max() == pytest.approx(CALL_EFFECT)
        assert added.min() >= 0
        assert made.chance_to_renew(called).max() <= 1

    def test_only_a_call_before_the_renewal_counts(self):
        made = company()
        decided = made.table("renewals", after(weeks=10)).to_pylist()
        late, early = decided[0], made.table("accounts", after(weeks=10)).to_pylist()[-1]
        made.call(late["account_id"], late["decided_at"] + timedelta(days=1), logged=True)
        made.call(early["account_id"], after(weeks=10), logged=False)

        gained = made.gain([late["account_id"], early["account_id"]])

        assert gained[0] == 0
        assert 0 < gained[1] <= CALL_EFFECT

    def test_a_call_that_was_not_logged_leaves_no_trace(self):
        made = company()
        made.call("A00001", after(days=1), logged=True)
        made.call("A00002", after(days=1), logged=False)

        seen = made.table("crm_calls", after(days=2)).column("account_id").to_pylist()

        assert seen == ["A00001"]

    def test_the_warehouse_knows_nothing_of_the_future(self):
        made = company()
        made.call("A00001", after(days=9), logged=True)
        at = after(days=8)

        assert made.table("crm_calls", at).num_rows == 0
        assert max(made.table("renewals", at).column("decided_at").to_pylist()) <= at

    def test_who_has_left_is_scored_no_more(self):
        made, at = company(), after(weeks=12)
        lost = {
            row["account_id"]
            for row in made.table("renewals", at).to_pylist()
            if not row["renewed"]
        }

        scored = set(made.table("churn_scores", at).column("account_id").to_pylist())

        assert lost
        assert scored == set(made.ids.tolist()) - lost


class TestStaff:
    def test_the_same_seed_makes_the_same_people(self):
        one, same = staff(), staff()

        assert [one.reaction(told()) for _ in range(30)] == [
            same.reaction(told()) for _ in range(30)
        ]

    def test_nobody_acts_before_they_were_told(self):
        team = staff()
        acts = [act for _ in range(100) for act in team.reaction(told())]

        assert acts
        assert all(act.at > MONDAY for act in acts)

    def test_the_punctual_answer_more_often_than_the_slow(self):
        team = staff()
        answered = {
            person: sum(bool(team.reaction(told(person=person))) for _ in range(300))
            for person in TEAM
        }

        assert 240 < answered["ben.okafor"] < answered["mia.chen"] <= 300

    def test_an_override_gives_one_of_the_reasons_and_a_sentence(self):
        team = staff()
        declined = [
            act for _ in range(200) for act in team.reaction(told()) if act.deed == "override"
        ]

        assert {act.reason for act in declined} == set(told().reasons)
        assert all(act.text for act in declined)

    def test_a_call_comes_after_the_acknowledgement_and_word_of_it_after_the_call(self):
        team = staff()
        chains = []
        for _ in range(100):
            for answer in team.reaction(told()):
                calls = team.follow_up(answer)
                chains += [(answer, call, *team.follow_up(call)) for call in calls]

        full = [chain for chain in chains if len(chain) == 3]
        assert len(full) > 50
        assert all([act.deed for act in chain] == ["acknowledge", "call", "done"] for chain in full)
        assert all(one.at < two.at < three.at for one, two, three in full)

    def test_a_manager_takes_over_only_what_nobody_has(self):
        team = staff()
        told_of = told(Kind.ESCALATED, person="omar.haddad", state="acknowledged")

        deeds = {act.deed for _ in range(100) for act in team.reaction(told_of)}

        assert deeds == {"override", "reassign"}


class TestTimeline:
    @pytest.mark.parametrize(
        ("now", "end"),
        [
            pytest.param(TUESDAY, TUESDAY, id="at-that-minute"),
            pytest.param(TUESDAY - timedelta(minutes=1), TUESDAY - timedelta(weeks=1), id="before"),
            pytest.param(TUESDAY + timedelta(days=6), TUESDAY, id="until-the-next"),
        ],
    )
    def test_a_story_ends_on_the_latest_tuesday(self, now, end):
        assert default_end(now) == end

    def test_a_story_of_one_week_begins_on_its_monday(self):
        assert first_monday(TUESDAY, weeks=1) == datetime(2026, 11, 16, tzinfo=UTC)

    def test_things_happen_in_order_and_never_after_the_end(self):
        passed = list(moments(TUESDAY, weeks=26))

        assert [moment.at for moment in passed] == sorted(moment.at for moment in passed)
        assert passed[-1].at == TUESDAY
        assert passed[-1].step is Step.OBSERVE
        assert {moment.week for moment in passed} == set(range(1, 27))

    def test_every_week_is_decided_once_and_the_broken_one_again_the_day_after(self):
        weeks = [moment.week for moment in moments(TUESDAY, weeks=26) if moment.step == "decide"]

        assert sorted(weeks) == sorted([*range(1, 27), 13])

    def test_a_demo_is_at_most_120_flow_runs(self):
        assert sum(moment.step in RUNS for moment in moments(TUESDAY, weeks=26)) < 120


class TestStage:
    def test_a_folder_that_holds_something_else_is_left_alone(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")

        with pytest.raises(NotUnderstood, match="holds no earlier demo"):
            cleared(tmp_path)

        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

    def test_an_earlier_demo_is_replaced(self, tmp_path):
        (tmp_path / MARKER).write_text("{}")
        (tmp_path / "ledger.db").write_text("old")

        stage = cleared(tmp_path, seed=7)

        assert not (tmp_path / "ledger.db").exists()
        assert (stage.workspace / "people.yaml").is_file()

    def test_no_ledger_of_the_environment_is_touched(self, tmp_path, monkeypatch):
        monkeypatch.setenv("FOLLOWTHROUGH_LEDGER", "postgresql://production/ledger")

        stage = cleared(tmp_path / "demo")

        assert stage.settings.ledger_url == f"sqlite:///{tmp_path}/demo/ledger.db"

    def test_no_prefect_server_of_the_environment_is_asked(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PREFECT_API_URL", "https://production.example/api")

        with _quiet_prefect(tmp_path):
            assert "PREFECT_API_URL" not in os.environ
            assert os.environ["PREFECT_HOME"] == str(tmp_path)

        assert os.environ["PREFECT_API_URL"] == "https://production.example/api"
        assert os.environ.get("PREFECT_HOME") != str(tmp_path)

    def test_account_managers_lead_nobody_and_own_nothing(self):
        assert account_managers(people(), definition()) == ["ben.okafor", "mia.chen"]

    def test_somebody_is_on_leave_when_the_story_ends(self, tmp_path):
        stage = cleared(tmp_path / "demo")
        known = read_workspace(stage.settings)
        managers = account_managers(known.people, known.decisions["churn-save-call"])

        grant_leave(stage.workspace, managers, until=TUESDAY)

        found = read_workspace(stage.settings, lambda: TUESDAY).people
        assert found.standin(managers[-1], TUESDAY).person == managers[0]
        assert found.standin(managers[0], TUESDAY).person == managers[0]


def test_the_workspace_that_ships_has_account_managers_enough():
    known = read_workspace(Settings(workspace=Settings.model_fields["workspace"].default))

    assert len(account_managers(known.people, known.decisions["churn-save-call"])) >= 8


def test_the_clock_never_goes_back():
    clock = MovableClock(MONDAY)
    clock.move_to(MONDAY + timedelta(hours=1))

    with pytest.raises(ValueError, match="the clock stands at 2026-11-16 10:00"):
        clock.move_to(MONDAY)


@pytest.mark.parametrize(
    ("truth", "lower", "contains"),
    [
        pytest.param(0.1, 0.1, True, id="on-the-edge"),
        pytest.param(0.1, 0.11, False, id="outside"),
        pytest.param(0.1, None, None, id="no-estimate"),
        pytest.param(None, 0.1, None, id="no-truth"),
    ],
)
def test_an_interval_contains_the_truth_or_not_or_nobody_can_say(truth, lower, contains):
    upper = None if lower is None else 0.2
    found = Estimate(truth=truth, found=lower, lower=lower, upper=upper, held_out=1, treated=1)

    assert found.contains_truth is contains
