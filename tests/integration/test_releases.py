"""Versions on a real ledger: who releases, signs, stages, and what may run."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from decisions.board import Board
from decisions.brake import Brake
from decisions.desk import Author
from decisions.errors import Halted, LifecycleError, NotEntitled, NotInForce
from decisions.ledger import Filter, Ledger
from decisions.release import LIVE, Placing
from tests.samples import MovableClock, action, batch, definition, matches, people

SIGNED = {"sign_off": {"by": ["business", "technical"], "not": "author"}}
FIRST = definition(**SIGNED)
SECOND = definition(**SIGNED, limits={"per_run": 5})
RAMP = Placing.parse("ramp 25%")
SHADOW = Placing.parse("shadow")


class Company:
    """A ledger with its board, its brake and a decision whose file can be edited."""

    def __init__(self, url):
        self.people = people()
        self.clock = MovableClock()
        self.ledger = Ledger(url, self.clock)
        self.board = Board(self.ledger, self.people)
        self.brake = Brake(self.ledger, self.people)
        self.file = FIRST
        self._acts = 0

    def by(self, person):
        self._acts += 1
        return Author(person, "inbox", f"act-{self._acts}")

    def releases(self, written=None, *, by="sam.ortiz", **told):
        self.file = written or self.file
        return self.board.release(self.file, self.by(by), **told)

    def signs(self, *persons, number=None):
        rulings = [
            self.board.sign(self.file.decision, self.by(person), number=number, written=self.file)
            for person in persons
        ]
        return rulings[-1]

    def goes_live(self, written=None, **told):
        self.releases(written, **told)
        return self.signs("dana.reyes", "lee.park")

    def stages(self, placing, number=None, by="dana.reyes"):
        return self.board.stage(self.file.decision, placing, self.by(by), number=number)

    def halts(self, by="dana.reyes"):
        return self.brake.halt(self.file, self.by(by), because="The scores are wrong.")

    def runs(self, *subjects):
        found = matches(*({"subject": subject} for subject in subjects or ["acme"]))
        rows = batch(found.num_rows)
        return [
            self.ledger.runs.record(each.definition, rows, found, self.people, under=each)
            for each in self.brake.mandates(self.file)
        ]

    def stands(self):
        accounts = self.ledger.releases.accounts(self.file.decision)
        return {each.version.number: each.stage for each in accounts}

    def acts(self, name):
        return [entry.act for entry in self.ledger.entries_of(name)]


@pytest.fixture
def company(ledger_url):
    founded = Company(ledger_url)
    yield founded
    assert founded.ledger.verified().breach is None
    founded.ledger.close()


@pytest.fixture
def small(tmp_path):
    founded = Company(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield founded
    assert founded.ledger.verified().breach is None
    founded.ledger.close()


def test_a_version_goes_from_its_release_by_its_last_signature_to_live(company):
    released = company.releases(because="The first.")
    first = company.signs("dana.reyes")
    last = company.signs("lee.park")

    assert (released.stage, released.missing) == ("released", ("business", "technical"))
    assert (first.stage, first.missing) == ("released", ("technical",))
    assert (last.stage, last.missing) == ("live", ())
    assert company.acts("churn-save-call/v1") == [
        "recorded", "released", "signed", "signed", "started",
    ]  # fmt: skip
    assert company.runs()[0].state == "recorded"


def test_a_decision_that_was_never_released_is_refused_with_what_to_do_next(small):
    with pytest.raises(NotInForce, match="`followthrough release churn-save-call`"):
        small.runs()


def test_a_decision_that_waits_for_signatures_names_who_has_to_sign(small):
    small.releases()
    small.signs("dana.reyes")

    with pytest.raises(NotInForce, match=r"v1 waits for Lee Park \(technical\)"):
        small.runs()


def test_an_edit_decides_nothing_until_it_is_signed(company):
    company.goes_live()
    company.file = SECOND

    (run,) = company.runs()

    assert company.stands() == {1: "live"}
    assert company.ledger.releases.version(run.version_id).number == 1


def test_a_new_version_takes_the_place_of_the_old_one(company):
    company.goes_live()
    company.runs("acme")
    company.goes_live(SECOND)
    company.runs("bolt")

    versions = [each.version_id for each in company.ledger.cases.found(Filter())]
    assert company.stands() == {2: "live", 1: "retired"}
    assert len(set(versions)) == 2


def test_nobody_signs_what_has_changed_since_the_release(small):
    small.releases()
    small.file = SECOND

    with pytest.raises(LifecycleError, match="says something else than churn-save-call/v1 by now"):
        small.signs("dana.reyes")
    assert small.signs("dana.reyes", number=1).missing == ("technical",)


def test_whoever_has_signed_signs_no_second_time(small):
    small.releases()
    small.signs("dana.reyes")

    again = small.signs("dana.reyes")

    assert again.repeated
    assert small.acts("churn-save-call/v1").count("signed") == 1


@pytest.mark.parametrize(
    ("person", "told"),
    [
        pytest.param("mia.chen", "Mia Chen does not sign", id="a-stranger"),
        pytest.param("lee.park", "Lee Park released .* and may not sign it", id="the-author"),
    ],
)
def test_only_those_who_are_asked_sign(small, person, told):
    small.releases(by="lee.park")

    with pytest.raises(NotEntitled, match=told):
        small.signs(person)


def test_the_backup_owner_signs_in_place_of_the_author(small):
    small.releases(by="lee.park")

    assert small.signs("dana.reyes", "sam.ortiz").stage == "live"


def test_an_author_who_may_sign_still_needs_somebody_else(small):
    alone = definition(sign_off={"by": ["technical"]})
    small.releases(alone, by="lee.park")

    first = small.signs("lee.park")
    second = small.signs("dana.reyes")

    assert first.stage == "released"
    assert "somebody else than the author" in first.text
    assert second.stage == "live"


def test_what_nobody_could_sign_is_not_released(small):
    owners = {"business": "dana.reyes", "technical": "lee.park"}

    with pytest.raises(LifecycleError, match="name a backup owner"):
        small.releases(definition(**SIGNED, owners=owners), by="lee.park")
    assert small.stands() == {}


def test_a_definition_whose_examples_fail_is_not_released(small):
    wrong = [{"given": {"risk": 0.9}, "expect": "nothing"}]

    with pytest.raises(LifecycleError, match="example 1 expects 'nothing'"):
        small.releases(definition(**SIGNED, examples=wrong))


def test_what_has_not_changed_is_not_released_again(small):
    small.goes_live()

    with pytest.raises(LifecycleError, match="nothing has changed since Sam Ortiz released"):
        small.releases()


def test_an_older_content_is_gone_back_to_and_not_released_again(small):
    small.goes_live()
    small.goes_live(SECOND)

    with pytest.raises(LifecycleError, match="rollback churn-save-call v1"):
        small.releases(FIRST)


def test_a_sign_off_cannot_be_edited_away(company):
    company.goes_live()
    company.file = definition()

    (run,) = company.runs()
    released = company.releases(definition(), by="sam.ortiz")

    assert company.ledger.releases.version(run.version_id).number == 1
    assert released.missing == ("business", "technical")


def test_a_decision_that_nobody_signs_is_live_at_its_first_run(company):
    company.file = definition()
    company.runs("acme")
    company.file = definition(limits={"per_run": 5})
    company.runs("bolt")
    company.file = definition()
    company.runs("core")

    assert company.stands() == {1: "live", 2: "retired"}
    assert company.acts("churn-save-call/v1") == ["recorded", "live"]
    with pytest.raises(LifecycleError, match="declares no sign_off"):
        company.releases()


def test_a_signed_decision_cannot_be_recorded_around_its_stage(small):
    with pytest.raises(NotInForce, match="has to be signed before it runs"):
        small.ledger.runs.record(FIRST, batch(1), matches({"subject": "acme"}), small.people)


def test_a_shadow_counts_and_opens_nothing_beside_the_version_that_acts(company):
    held = {"holdout": {"share": "50%", "salt": "q4"}}
    company.goes_live(definition(**SIGNED, **held))
    company.goes_live(definition(**SIGNED, holdout={"share": "50%", "salt": "q5"}), starts=SHADOW)
    subjects = [f"a{n}" for n in range(40)]

    shadow, live = company.runs(*subjects)

    assert company.stands() == {2: "shadow", 1: "live"}
    assert (live.state, shadow.state) == ("recorded", "shadow")
    with company.ledger.reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM cases").scalar_one()
        periods = connection.exec_driver_sql("SELECT DISTINCT period FROM allocations").all()
    assert count == live.counts["opened"] + live.counts["held_out"] == 40
    assert [period for (period,) in periods] == ["q4"]


def test_a_shadow_alone_tells_nobody(company):
    company.goes_live(starts=SHADOW)

    (run,) = company.runs("acme")

    assert run.counts["opened"] == 1
    assert company.ledger.cases.count(Filter(states=None)) == 0
    assert company.ledger.outbox.claim() == []


def test_a_ramp_lets_the_same_share_through_each_time_and_keeps_them_as_it_grows(company):
    subjects = [f"a{n}" for n in range(400)]
    company.goes_live(starts=RAMP)

    (first,) = company.runs(*subjects)
    company.stages(Placing.parse("ramp 50%"))
    (second,) = company.runs(*subjects)
    company.stages(LIVE)
    (third,) = company.runs(*subjects)

    assert 70 < first.counts["opened"] < 130
    assert first.counts["suppressed"] == {"ramp: 25%": 400 - first.counts["opened"]}
    assert second.counts["suppressed"]["already open"] == first.counts["opened"]
    assert second.counts["suppressed"]["ramp: 50%"] + second.counts["opened"] == 300 + (
        100 - first.counts["opened"]
    )
    assert first.counts["opened"] + second.counts["opened"] + third.counts["opened"] == 400


@pytest.mark.parametrize(
    ("person", "told"),
    [
        pytest.param("mia.chen", "Mia Chen may not move churn-save-call", id="a-stranger"),
        pytest.param("sam.ortiz", "Sam Ortiz may not move churn-save-call", id="not-a-signer"),
    ],
)
def test_only_those_who_sign_move_a_version(small, person, told):
    small.goes_live()

    with pytest.raises(NotEntitled, match=told):
        small.stages(SHADOW, by=person)


def test_what_is_not_signed_is_not_staged(small):
    small.releases()

    with pytest.raises(LifecycleError, match="no version of churn-save-call is signed yet"):
        small.stages(LIVE)


def test_an_older_version_signed_late_replaces_no_newer_one(small):
    small.goes_live()
    small.releases(SECOND)
    small.goes_live(definition(**SIGNED, limits={"per_run": 7}))

    late = small.signs("dana.reyes", "lee.park", number=2)

    assert late.stage == "signed"
    assert small.stands() == {3: "live", 2: "signed", 1: "retired"}


def test_a_rollback_makes_a_signed_version_live_again_and_ends_a_halt(company):
    company.goes_live()
    company.goes_live(SECOND)
    company.halts()

    back = company.board.rollback(FIRST.decision, 1, company.by("lee.park"))

    assert back.stage == "live"
    assert (
        back.text == "churn-save-call/v1: Lee Park went back to it, which ends the halt; it is live"
    )
    assert company.stands() == {2: "retired", 1: "live"}
    assert company.runs()[0].state == "recorded"


def test_what_was_never_signed_is_not_gone_back_to(small):
    small.goes_live()
    small.releases(SECOND)

    with pytest.raises(LifecycleError, match="v2 is not signed; signed are v1"):
        small.board.rollback(FIRST.decision, 2, small.by("lee.park"))


def test_any_owner_halts_at_once_and_the_refusals_are_recorded(company):
    company.goes_live()

    company.halts(by="sam.ortiz")

    with pytest.raises(Halted, match="by Sam Ortiz since 2026-11-16 09:00 UTC: The scores are"):
        company.runs()
    assert company.acts(FIRST.decision) == ["halted", "run refused"]
    assert company.stands() == {1: "halted"}


def test_nobody_but_an_owner_halts(small):
    with pytest.raises(NotEntitled, match="Mia Chen does not own churn-save-call"):
        small.halts(by="mia.chen")


def test_a_halt_that_holds_is_not_pulled_twice(small):
    small.goes_live()
    small.halts()

    again = small.halts(by="lee.park")

    assert again.repeated
    assert "halted already, by Dana Reyes" in again.text


def test_only_those_who_sign_end_a_halt(small):
    small.goes_live()
    small.halts()

    with pytest.raises(NotEntitled, match="Sam Ortiz may not move churn-save-call"):
        small.brake.resume(FIRST, small.by("sam.ortiz"))
    small.brake.resume(FIRST, small.by("dana.reyes"))
    assert small.stands() == {1: "live"}


def test_a_halt_before_the_first_run_holds_too(company):
    company.file = definition()
    company.halts()

    with pytest.raises(Halted):
        company.runs()
    company.brake.resume(company.file, company.by("sam.ortiz"))
    assert company.runs()[0].counts["opened"] == 1


def test_a_run_that_was_on_its_way_when_the_decision_was_halted_records_nothing(company):
    company.goes_live()
    (mandate,) = company.brake.mandates(company.file)
    company.halts()

    with pytest.raises(Halted):
        company.ledger.runs.record(
            mandate.definition, batch(1), matches({"subject": "acme"}), company.people,
            under=mandate,
        )  # fmt: skip
    assert company.ledger.runs.latest() == []


def test_a_run_under_a_version_that_has_been_replaced_records_nothing(small):
    small.goes_live()
    (mandate,) = small.brake.mandates(small.file)
    small.goes_live(SECOND)

    with pytest.raises(NotInForce, match="run it again"):
        small.ledger.runs.record(
            mandate.definition, batch(1), matches({"subject": "acme"}), small.people, under=mandate
        )


def test_two_who_release_at_once_release_one_version(company):
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: _tried(company.releases), range(8)))

    assert outcomes.count("released") == 1
    assert company.stands() == {1: "released"}


def test_all_who_sign_at_once_start_the_version_once(company):
    company.releases()

    with ThreadPoolExecutor(8) as pool:
        people_ = ["dana.reyes", "lee.park"] * 4
        list(pool.map(company.signs, people_))

    acts = company.acts("churn-save-call/v1")
    assert (acts.count("signed"), acts.count("started")) == (2, 1)
    assert company.stands() == {1: "live"}


def _tried(act):
    try:
        return act().stage
    except LifecycleError as refused:
        return str(refused)


def test_a_version_recorded_by_an_earlier_release_is_still_known(company):
    company.file = definition(actions={"call": action(unanswered="keep open")})
    company.runs()
    with company.ledger.writing() as transaction:
        transaction.connection.exec_driver_sql("UPDATE versions SET sha256 = 'as it was'")

    company.runs()

    assert company.stands() == {1: "live"}


def test_a_default_that_changes_makes_another_version(company):
    company.file = definition()
    company.runs()
    with company.ledger.writing() as transaction:
        transaction.connection.exec_driver_sql(
            "UPDATE versions SET sha256 = 'as it was', definition = "
            "replace(CAST(definition AS TEXT), '\"close\"', '\"keep open\"')"
            + ("::json" if transaction.connection.dialect.name == "postgresql" else "")
        )

    company.runs()

    assert company.stands() == {2: "live", 1: "retired"}
