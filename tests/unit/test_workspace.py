import shutil
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr

from decisions.definition import Definition
from decisions.errors import DefinitionError, Fault
from decisions.workspace import ConnectionKind, Workspace, load_workspace, resolved
from decisions.workspace.coherence import contradictions
from decisions.workspace.faults import read_as
from decisions.workspace.yaml_text import YamlText, read_yaml

HERE = Path(__file__).parent
WRITTEN = HERE / "definitions"
SHIPPED = HERE.parents[1] / "decisions" / "definitions"
BAD = sorted(
    path.stem
    for path in WRITTEN.glob("*.yaml")
    if path.stem not in {"people", "connections", "save-call", "ten-planted-faults"}
)
TODAY = date(2026, 11, 20)
SECRET = "xoxb-1234-very-secret"


class WarehouseConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str | None = None
    folder: str | None = None


class ChatConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    signing_secret: SecretStr | None = None
    app_token: SecretStr | None = None
    base_url: str = "https://chat.example/api/"
    retries: int = 3


KINDS = {
    "duckdb": ConnectionKind(role="warehouse", config=WarehouseConfig),
    "slack": ConnectionKind(role="channel", config=ChatConfig),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the good definition."""
    for name in ("people.yaml", "connections.yaml", "save-call.yaml"):
        shutil.copy(WRITTEN / name, tmp_path)
    return tmp_path


def loaded(folder: Path, today: date | None = TODAY) -> Workspace:
    return load_workspace(folder, KINDS, today=today)


def told(folder: Path) -> str:
    """What a person is told of a workspace with faults."""
    with pytest.raises(DefinitionError) as caught:
        loaded(folder)
    return str(caught.value)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", BAD)
def test_every_fault_is_told_where_it_stands(tmp_path, name):
    for each in ("people", "connections", name):
        shutil.copy(WRITTEN / f"{each}.yaml", tmp_path)
    lines = (WRITTEN / f"{name}.yaml").read_text().splitlines()
    expected = [line[2:] for line in lines[: lines.index(f"decision: {_decision(lines)}")]]

    found = told(tmp_path).splitlines()

    assert found[0] == f"{name}.yaml"
    assert [line[2:] for line in found[1:-1]] == expected


def _decision(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("decision: ")).split(": ")[1]


def test_ten_planted_faults_are_told_in_one_go(tmp_path):
    for each in ("people", "connections", "ten-planted-faults"):
        shutil.copy(WRITTEN / f"{each}.yaml", tmp_path)

    assert told(tmp_path) + "\n" == (HERE / "expected" / "ten-planted-faults.txt").read_text()


def test_a_workspace_without_faults_is_loaded(folder):
    workspace = loaded(folder)

    assert list(workspace.decisions) == ["save-call"]
    assert workspace.people.person("mia.chen").manager == "dana.reyes"
    assert [(each.name, each.role) for each in workspace.connections.values()] == [
        ("warehouse", "warehouse"),
        ("archive", "warehouse"),
        ("slack", "channel"),
    ]
    assert workspace.warnings == ()


def test_the_workspace_that_ships_has_neither_faults_nor_warnings():
    workspace = loaded(SHIPPED)

    assert list(workspace.decisions) == ["churn-save-call"]
    assert workspace.warnings == ()


def test_the_definition_that_ships_shows_every_key_there_is():
    definition = loaded(SHIPPED).decisions["churn-save-call"]

    def missing(part: BaseModel, path: str = "") -> set[str]:
        found = {path + name for name, value in part if value in (None, (), {})}
        for name, value in part:
            parts = value if isinstance(value, tuple) else (value,)
            for each in parts:
                if isinstance(each, BaseModel):
                    found |= missing(each, f"{path}{name}.")
        return found

    relations = {"signal", "context", "outcome", "intervention.proof"}
    alternatives = {f"{place}.{key}" for place in relations for key in ("query", "path")}
    alternatives |= {"intervention.receipts"}  # rows prove it there
    assert missing(definition) - alternatives == {"examples.as_of"}


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert "no such folder; `followthrough init` makes a workspace" in told(tmp_path / "x")


def test_an_empty_folder_lacks_people_and_connections(tmp_path):
    assert told(tmp_path) == (
        "connections.yaml\n"
        f"  no connections.yaml in {tmp_path}; `followthrough init` makes a workspace\n"
        "people.yaml\n"
        f"  no people.yaml in {tmp_path}; `followthrough init` makes a workspace\n"
        "2 faults; nothing was loaded"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("# later\n", "the file is empty", id="comments-alone"),
        pytest.param("- a\n- b\n", "the file is no mapping", id="list"),
        pytest.param("decision", "the file is no mapping", id="text"),
    ],
)
def test_a_file_without_keys_is_told(folder, content, reason):
    (folder / "churn.yaml").write_text(content)

    assert reason in told(folder)


def test_a_file_that_would_not_be_read_is_told(folder):
    (folder / "save-call.yaml").rename(folder / "save-call.yml")

    assert "is not read; call it save-call.yaml" in told(folder)


def test_the_faults_of_all_files_come_at_once_and_in_order(folder):
    edit(folder / "save-call.yaml", "match: first", "match: last")
    edit(folder / "people.yaml", "manager: dana.reyes", "manager: dana.reys")
    edit(folder / "connections.yaml", "type: duckdb}", "type: dukdb}")
    (folder / "another.yaml").write_text("a:\n\tb")

    assert told(folder).splitlines() == [
        "another.yaml",
        "  2: a tab; YAML is indented with spaces",
        "connections.yaml",
        "  2: connection 'archive' is of no type known: did you mean 'duckdb'?",
        "people.yaml",
        "  3: nobody is called 'dana.reys'; did you mean 'dana.reyes'?",
        "save-call.yaml",
        "  8: match is 'last'; write 'first' or 'unique'",
        "4 faults; nothing was loaded",
    ]


def test_what_cannot_be_judged_is_not_judged(folder):
    (folder / "people.yaml").write_text("people: [")
    (folder / "connections.yaml").unlink()

    assert [line for line in told(folder).splitlines() if "save-call" in line] == []


def test_a_field_that_is_faulty_itself_makes_no_faults_where_it_is_used(folder):
    edit(folder / "save-call.yaml", "risk: float", "risk: flaot")

    assert told(folder).splitlines()[1:] == [
        "  7: signal.fields.risk.type is 'flaot'; did you mean 'float'?",
        "1 fault; nothing was loaded",
    ]


def test_a_faulty_person_is_still_known_to_definitions(folder):
    edit(folder / "people.yaml", "Europe/London", "Europe/Lodnon")

    assert told(folder) == (
        "people.yaml\n"
        "  2: people.dana.reyes.zone is 'Europe/Lodnon'; "
        "write an IANA time zone, like 'Europe/London' or 'UTC'\n"
        "1 fault; nothing was loaded"
    )


def test_two_decisions_may_not_share_the_prefix_of_their_cases(folder):
    shutil.copy(folder / "save-call.yaml", folder / "slow-cart.yaml")
    edit(folder / "slow-cart.yaml", "decision: save-call", "decision: slow-cart")

    assert (
        "  1: cases would be called SC-1 like those of 'save-call'; give a case_prefix of its own"
        in told(folder)
    )


def test_a_prefix_of_its_own_keeps_two_decisions_apart(folder):
    shutil.copy(folder / "save-call.yaml", folder / "slow-cart.yaml")
    edit(folder / "slow-cart.yaml", "decision: save-call", "decision: slow-cart\ncase_prefix: CART")

    assert set(loaded(folder).decisions) == {"save-call", "slow-cart"}


def test_an_action_that_no_rule_does_is_a_warning(folder):
    edit(folder / "save-call.yaml", "do: call", "do: nothing")

    assert loaded(folder).warnings == (
        Fault("save-call.yaml", 13, "no rule does 'call'; remove it or name it under 'do'"),
    )


@pytest.mark.parametrize(
    ("today", "count"),
    [
        pytest.param(date(2027, 6, 30), 0, id="the-last-day"),
        pytest.param(date(2027, 7, 1), 1, id="the-day-after"),
        pytest.param(None, 0, id="no-date"),
    ],
)
def test_a_review_that_is_overdue_is_a_warning(folder, today, count):
    warnings = loaded(folder, today).warnings

    assert len(warnings) == count
    assert all(
        "review_by was 2027-06-30; its owners must confirm" in each.text for each in warnings
    )


def test_a_workspace_without_a_decision_is_loaded_with_a_warning(folder):
    (folder / "save-call.yaml").unlink()

    assert "no decision yet" in loaded(folder).warnings[0].text


def test_what_is_found_later_has_its_line_too(folder):
    with (folder / "save-call.yaml").open("a") as file:
        file.write("examples:\n  - {given: {risk: 0.9}, expect: call}\n")

    fault = loaded(folder).fault("save-call", ("examples", 0), "leads elsewhere")

    assert fault == Fault("save-call.yaml", 16, "leads elsewhere")


class TestConnections:
    def test_a_secret_that_stands_in_the_file_is_refused_and_not_repeated(self, folder):
        edit(folder / "connections.yaml", '"${SLACK_BOT_TOKEN}"', SECRET)

        text = told(folder)

        assert '  3: slack.token is a secret; write "${SLACK_TOKEN}" and set that variable' in text
        assert SECRET not in text

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            pytest.param(
                "token:", "tokn:", "unknown key 'tokn' in slack; did you mean 'token'?", id="key"
            ),
            pytest.param('"${SLACK_BOT_TOKEN}"', f"[{SECRET}]", "slack.token: ", id="list"),
            pytest.param(
                "type: slack,", f"type: slack, retries: {SECRET},", "slack.retries: ", id="int"
            ),
            pytest.param("type: slack,", f"type: {SECRET},", "is of no type known", id="type"),
            pytest.param("{type: slack", f"{{{SECRET}: 1", "is of no type known", id="no-type"),
        ],
    )
    def test_nothing_of_the_file_is_repeated_whatever_is_wrong(self, folder, old, new, fault):
        edit(folder / "connections.yaml", old, new)

        text = told(folder)

        assert fault in text
        assert SECRET not in text

    def test_a_connection_without_keys_is_told(self, folder):
        edit(folder / "connections.yaml", "archive: {type: duckdb}", "archive: warehouse.duckdb")

        assert "connection 'archive' is of no type known: there are 'duckdb', 'slack'" in told(
            folder
        )

    def test_references_are_filled_in_from_the_environment(self, folder):
        edit(
            folder / "connections.yaml",
            "type: slack,",
            'type: slack, base_url: "http://${HOST}:1/",',
        )
        spec = loaded(folder).connections["slack"]

        config = resolved(spec, {"SLACK_BOT_TOKEN": SECRET, "HOST": "chat"})

        assert isinstance(config, ChatConfig)
        assert (config.token.get_secret_value(), config.base_url) == (SECRET, "http://chat:1/")
        assert SECRET not in repr(config)

    @pytest.mark.parametrize("environ", [{}, {"SLACK_BOT_TOKEN": ""}], ids=["unset", "empty"])
    def test_a_variable_that_is_not_set_is_named_with_its_place(self, folder, environ):
        spec = loaded(folder).connections["slack"]

        with pytest.raises(DefinitionError) as caught:
            resolved(spec, environ)

        assert caught.value.faults == (
            Fault(
                "connections.yaml",
                3,
                "slack.token needs the variable SLACK_BOT_TOKEN, which is not set",
            ),
        )

    def test_an_optional_key_is_none_where_its_variable_is_not_set(self, folder):
        edit(folder / "connections.yaml", '"}', '", signing_secret: "${SIGNING}"}')
        spec = loaded(folder).connections["slack"]

        config = resolved(spec, {"SLACK_BOT_TOKEN": SECRET}, optional={"signing_secret"})

        assert isinstance(config, ChatConfig)
        assert config.signing_secret is None

    def test_a_value_that_does_not_fit_once_filled_in_is_not_repeated(self):
        class Port(BaseModel):
            number: str | int

        class Strict(BaseModel):
            ports: list[Port]
            name: str

        spec = loaded(SHIPPED).connections["slack"]
        odd = type(spec)(
            "odd", "odd", "channel", Strict.model_construct(name="${NAME}"), "c.yaml", 4
        )

        with pytest.raises(DefinitionError) as caught:
            resolved(odd, {"NAME": SECRET})

        assert caught.value.faults == (Fault("c.yaml", 4, "odd.ports does not fit"),)
        assert SECRET not in repr(caught.value.__cause__)


CONTENT = read_yaml(SHIPPED / "churn-save-call.yaml", "churn-save-call.yaml").content
ODD = [None, "", 0, -1.5, True, "x", [], {}, ["x"], {"x": 1}, "{{", "nothing", "arr >", "9 days"]


def places(content: object, place: tuple = ()) -> list[tuple]:
    keys = (
        content
        if isinstance(content, dict)
        else range(len(content))
        if isinstance(content, list)
        else ()
    )
    return [place, *(each for key in keys for each in places(content[key], (*place, key)))]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_broken_in_a_definition_it_is_told_and_nothing_breaks(data):
    content = deepcopy(CONTENT)
    for _ in range(2):
        *above, key = data.draw(st.sampled_from(places(content)[1:]))
        part = content
        for step in above:
            part = part[step]
        if data.draw(st.booleans()):
            del part[key]
        else:
            part[key] = deepcopy(data.draw(st.sampled_from(ODD)))

    reading = read_as(Definition, YamlText("file.yaml", content, {}))
    found = list(contradictions(reading.model, people=None, roles={"warehouse": "warehouse"}))

    assert all(fault.text for fault in reading.faults)
    assert all(text for _, text in found)
