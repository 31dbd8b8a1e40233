import json

import pytest

from flows.cli import main
from tests.company import CHURN_SAVE_CALL, write_scores, write_workspace
from tests.samples import MONDAY

NOW = "2026-11-16T09:00"


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Runs a command in a workspace with one case; returns its document."""
    for name in ("FOLLOWTHROUGH_PERSON", "PREFECT_API_URL", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def prepared(more=""):
        folder = write_workspace(tmp_path / "company", definition=CHURN_SAVE_CALL + more)
        write_scores(folder, [{"account_id": "acme"}], scored_at=MONDAY)
        monkeypatch.chdir(folder)

        def run(*words):
            code = main([*words, "--json", "--as-of", NOW])
            out, err = capsys.readouterr()
            return json.loads(out) if out else (code, err)

        run("run")
        return run

    return prepared


def test_managers_hear_of_it_too(said):
    run = said()

    assert run("report", "--tell")["told"] == ["dana.reyes", "lee.park", "omar.haddad"]
    assert run("report", "--tell")["told"] == []
    assert run("deliver")["states"] == {"sent": 3}


def test_without_being_asked_the_command_tells_nobody(said):
    assert said()("report")["told"] == []


def test_whom_the_definition_names_hears_of_it_as_well(said):
    told = said("report: {to: [mia.chen, backup]}\n")("report", "--tell")["told"]

    assert told == ["dana.reyes", "lee.park", "mia.chen", "omar.haddad", "sam.ortiz"]


def test_a_name_nobody_has_is_a_fault_of_the_definition(said):
    found = said("report: {to: [nobody.here]}\n")("check")

    assert ["report.to names 'nobody.here', whom people.yaml does not know" in each["text"]
            for each in found["faults"]] == [True]  # fmt: skip
