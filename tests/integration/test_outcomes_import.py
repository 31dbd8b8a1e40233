import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from flows.cli import main
from tests.company import write_scores, write_workspace

NOW = "2026-11-20T09:00"
EARLY = "2026-12-24"
MATURE = "2027-02-01"


class Office:
    """A command line in a workspace with cases CSC-1 acme, CSC-2 brightwater, CSC-3 cobalt."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys

    def run(self, *words, at=MATURE):
        code = main([*words, "--as-of", at])
        self.out, self.err = self._capsys.readouterr()
        return code

    def takes(self, text, *words, at=MATURE):
        """Take in a file of outcomes; return how many rows met which fate."""
        Path("outcomes.csv").write_text(text)
        self.code = self.run("outcomes", "import", "outcomes.csv", "--decision",
                             "churn-save-call", "--json", *words, at=at)  # fmt: skip
        if not self.out:
            return {}
        found = json.loads(self.out)
        return {name: found[name] for name in FATES if found.get(name)}

    def tells(self, key, at=MATURE):
        """Return what the case's history says of its outcome."""
        self.run("show", key, "--json", at=at)
        told = [line["text"] for line in json.loads(self.out)["timeline"]]
        return [text for text in told if text.startswith("outcome")]

    def arm(self, at=MATURE):
        """Return what the report counts of those put forward."""
        self.run("report", "--json", at=at)
        (written,) = json.loads(self.out)["reports"]
        return json.loads(Path(written["json"]).read_text())["treatment"]


FATES = ("new", "corrected", "unchanged", "early", "unknown", "twice")


@pytest.fixture
def office(tmp_path, monkeypatch, capsys):
    for name in ("FOLLOWTHROUGH_PERSON", "PREFECT_API_URL", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    folder = write_workspace(tmp_path / "company")
    monkeypatch.chdir(folder)
    accounts = [{"account_id": name, "arr": arr} for name, arr in
                (("acme", 90_000), ("brightwater", 80_000), ("cobalt", 70_000))]  # fmt: skip
    write_scores(folder, accounts, scored_at=datetime(2026, 11, 20, 6, tzinfo=UTC))
    made = Office(folder, capsys)
    assert made.run("run", at=NOW) == 0
    return made


def test_outcomes_find_their_cases_by_key_or_by_subject_and_date(office):
    found = office.takes("case,subject,value,at\nCSC-1,,yes,2026-12-01\n"
                         ",brightwater,0,2026-12-02\n,cobalt,1,\n")  # fmt: skip

    assert found == {"new": 3}
    assert office.code == 0
    assert office.tells("CSC-2") == ["outcome: renewed is 0 (from outcomes.csv)"]
    assert office.arm()["total"] == 2


@pytest.mark.parametrize(
    ("at", "fits"),
    [
        ("2026-11-19", False),
        ("2026-11-20", True),
        ("2027-01-19T08:59", True),
        ("2027-01-19T09:00", False),
    ],
)
def test_a_subjects_outcome_counts_within_the_window_of_its_case(office, at, fits):
    found = office.takes(f"subject,value,at\nacme,1,{at}\n")

    assert found == ({"new": 1} if fits else {"unknown": 1})
    assert office.code == (0 if fits else 2)


def test_the_same_file_again_changes_nothing(office):
    text = "case,value\nCSC-1,1\n"
    office.takes(text)

    assert office.takes(text) == {"unchanged": 1}
    assert len(office.tells("CSC-1")) == 1


def test_another_value_is_a_correction_and_the_first_is_kept(office):
    office.takes("case,value\nCSC-1,1\n")

    assert office.takes("case,value\ncsc-1,0\n") == {"corrected": 1}
    assert office.tells("CSC-1") == [
        "outcome: renewed is 1 (from outcomes.csv)",
        "outcome corrected: renewed is 0 (from outcomes.csv)",
    ]
    assert office.arm()["total"] == 0
    assert office.run("verify") == 0


def test_an_outcome_that_can_never_be_known_says_why_and_is_counted(office):
    found = office.takes("case,value,censored\nCSC-1,,account merged\nCSC-2,1,\n")
    arm = office.arm()

    assert found == {"new": 2}
    assert office.tells("CSC-1") == [
        "outcome: renewed can never be known: account merged (from outcomes.csv)"
    ]
    assert (arm["mature"], arm["observed"], arm["missing"], arm["censored"]) == (3, 1, 0, 1)


def test_before_its_window_is_over_nothing_is_taken(office):
    assert office.takes("case,value\nCSC-1,1\n", at=EARLY) == {"early": 1}
    assert office.tells("CSC-1", at=EARLY) == []


def test_two_rows_about_one_case_are_taken_neither_way(office):
    found = office.takes("case,subject,value\nCSC-1,,1\n,acme,0\nCSC-2,,1\n")

    assert found == {"new": 1, "twice": 2}
    assert office.tells("CSC-1") == []


def test_a_dry_run_says_the_same_and_records_nothing(office):
    text = "case,value\nCSC-1,1\nCSC-99,1\n"

    assert office.takes(text, "--dry-run") == {"new": 1, "unknown": 1}
    assert office.tells("CSC-1") == []


def test_what_was_left_out_is_named_by_line(office):
    Path("outcomes.csv").write_text("case,value\nCSC-1,1\nCSC-98,1\nCSC-99,1\n")

    code = office.run("outcomes", "import", "outcomes.csv", "--decision", "churn-save-call")

    assert code == 2
    assert "no case fits: lines 3, 4" in office.out
    assert "new outcomes" in office.out


def test_its_faults_come_at_once_with_their_lines(office):
    office.takes("case,value,at,censored\nCSC-1,often,,\n,1,,\nCSC-2,1,2028-01-01,\n"
                 "CSC-3,1,,moved away\nCSC-1,,,\n")  # fmt: skip

    said = " ".join(office.err.split())
    assert office.code == 2
    assert "2: value is 'often'; write a number, or true or false" in said
    assert "3: it names no case and no subject" in said
    assert "4: at is 2028-01-01" in said
    assert "5: it has a value and is censored (moved away); say one of them" in said
    assert "6: it has no value" in said


def test_a_value_that_cannot_be_read_is_not_said_to_be_missing_besides(office):
    office.takes("case,value\nCSC-1,often\nCSC-2,\n")

    said = " ".join(office.err.split())
    assert "2: value is 'often'" in said
    assert "2: it has no value" not in said
    assert "3: it has no value" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,value\na,1\n", "no column 'subject'"),
        ("case,renewed\nCSC-1,1\n", "no column 'value'"),
    ],
)
def test_a_file_without_the_columns_it_needs_is_refused(office, text, said):
    office.takes(text)

    assert office.code == 2
    assert said in office.err


def test_a_decision_nobody_knows_is_refused(office):
    Path("outcomes.csv").write_text("case,value\nCSC-1,1\n")

    assert office.run("outcomes", "import", "outcomes.csv", "--decision", "churn") == 2
    assert "there is no decision 'churn'" in office.err


class TestLookingAgain:
    @pytest.fixture
    def looked_up(self, office):
        self.renew(office, "acme", value=True)
        assert office.run("observe") == 0
        return office

    def renew(self, office, account, *, value):
        with duckdb.connect(str(office.folder / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DELETE FROM renewals WHERE account_id = ?", [account])
            warehouse.execute(
                "INSERT INTO renewals VALUES (?, ?, TIMESTAMPTZ '2026-12-01 00:00Z')",
                [account, value],
            )

    def again(self, office, span="90d"):
        assert office.run("observe", "--again", span, "--json") == 0, office.err
        return json.loads(office.out)["corrected"]

    def test_appends_what_reads_otherwise_now(self, looked_up):
        self.renew(looked_up, "acme", value=False)

        assert self.again(looked_up) == 1
        assert self.again(looked_up) == 0
        assert looked_up.tells("CSC-1")[-1] == "outcome corrected: renewed is 0 (from renewals)"

    def test_finds_what_came_too_late(self, looked_up):
        self.renew(looked_up, "brightwater", value=True)

        assert self.again(looked_up) == 1
        assert looked_up.tells("CSC-2")[-1] == "outcome corrected: renewed is 1 (from renewals)"

    def test_a_row_that_is_gone_is_no_news(self, looked_up):
        with duckdb.connect(str(looked_up.folder / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DELETE FROM renewals")

        assert self.again(looked_up) == 0

    def test_goes_no_further_back_than_it_is_told(self, looked_up):
        self.renew(looked_up, "acme", value=False)

        assert looked_up.run("observe", "--again", "1d", "--json", at="2027-03-01") == 0
        assert json.loads(looked_up.out)["corrected"] == 0

    def test_needs_a_span(self, looked_up):
        assert looked_up.run("observe", "--again", "soon") == 2
        assert "how far back to look is 'soon'" in looked_up.err
