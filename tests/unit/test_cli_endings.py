import pytest
from cyclopts import UnknownCommandError
from pydantic import ValidationError

from decisions.errors import (
    DecisionLayerError,
    DefinitionError,
    ExpressionError,
    Fault,
    InsufficientData,
    LedgerError,
    LifecycleError,
    NotEntitled,
    NotUnderstood,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
    UnknownPerson,
)
from flows.cli.endings import document, exit_code, explanation
from flows.settings import Settings

FAULTS = [Fault("people.yaml", 3, "unknown key 'nam'; did you mean 'name'?")]


def invalid_setting():
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"port": "http"})
    return caught.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(DefinitionError(FAULTS), 2, id="definition"),
        pytest.param(ExpressionError("x", text="a", start=0, end=1), 2, id="expression"),
        pytest.param(LifecycleError("closed"), 2, id="lifecycle"),
        pytest.param(NotEntitled("not yours"), 2, id="not-entitled"),
        pytest.param(NotUnderstood("say it otherwise"), 2, id="not-understood"),
        pytest.param(UnknownPerson("nobody"), 2, id="unknown-person"),
        pytest.param(UnknownCommandError(), 2, id="unknown-command"),
        pytest.param(invalid_setting(), 2, id="setting"),
        pytest.param(LedgerError("locked"), 1, id="ledger"),
        pytest.param(InsufficientData("too few"), 1, id="insufficient-data"),
        pytest.param(TemporaryFailure("away", connector="warehouse"), 1, id="temporary"),
        pytest.param(PermanentFailure("gone", connector="warehouse"), 1, id="permanent"),
        pytest.param(UnknownOutcome("perhaps", connector="slack"), 1, id="unknown-outcome"),
        pytest.param(PermissionError(13, "Permission denied", "x"), 1, id="operating-system"),
        pytest.param(DecisionLayerError("other"), 1, id="other"),
        pytest.param(RuntimeError("bug"), 1, id="bug"),
        pytest.param(KeyboardInterrupt(), 130, id="ctrl-c"),
    ],
)
def test_the_shell_is_told_whose_turn_it_is(error, code):
    assert exit_code(error) == code


def test_faults_are_listed_like_a_compiler_does():
    assert explanation(DefinitionError(FAULTS)).splitlines() == [
        "people.yaml",
        "  3: unknown key 'nam'; did you mean 'name'?",
        "1 fault; nothing was loaded",
    ]


def test_a_wrong_setting_is_called_by_the_name_of_its_variable():
    assert explanation(invalid_setting()).startswith("FOLLOWTHROUGH_PORT is 'http': ")


def test_an_error_of_the_operating_system_names_the_file():
    assert explanation(PermissionError(13, "Permission denied", "/x")) == "/x: Permission denied"


def test_a_fault_of_ours_says_so_and_what_to_do():
    text = explanation(RuntimeError("boom"))

    assert "RuntimeError: boom" in text
    assert "fault of followthrough itself; run it again with -v" in text


def test_a_program_is_told_the_kind_the_text_and_each_fault_of_a_file():
    told = document(DefinitionError(FAULTS))

    assert told["kind"] == "DefinitionError"
    assert told["faults"] == [
        {"file": "people.yaml", "line": 3, "text": "unknown key 'nam'; did you mean 'name'?"}
    ]
    assert document(LifecycleError("closed")) == {"kind": "LifecycleError", "text": "closed"}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"secret": "hunter2000"}, id="too-short"),
        pytest.param({"oidc_client_secret": "hunter2000"}, id="alone"),
        pytest.param({"ledger": "postgresql://u:hunter2000@db/x", "port": 0}, id="beside"),
    ],
)
def test_no_secret_is_shown_because_a_setting_is_wrong(given):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(given)

    assert "hunter2000" not in explanation(caught.value)
    assert "hunter2000" not in str(caught.value)
