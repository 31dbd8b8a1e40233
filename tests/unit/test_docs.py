"""The documentation says what the program does: no more, no less, and what it shows runs."""

import ast
import re
import tomllib
from collections.abc import Mapping
from datetime import date

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, text

from connectors import registry
from decisions import release, template
from decisions.deciding.rehearsal import failed_examples
from decisions.deciding.verdict_rows import COLUMNS
from decisions.definition import Definition, FieldSpec
from decisions.effectiveness.verdict import VerdictKind
from decisions.ledger.records import Arm, CaseState, NotificationState, Record
from decisions.lifecycle import MOVES, Move
from decisions.ownership import People
from decisions.permission import ALLOWED, Role
from decisions.ports import Kind
from decisions.release import Stage
from decisions.rules.language import FUNCTION_NAMES, OPERATORS
from decisions.workspace import Workspace, load_workspace
from decisions.workspace.yaml_text import parsed_yaml
from flows.cli.app import application
from flows.cli.endings import DONE, INTERRUPTED, WORLD_FAILED, YOURS_TO_FIX
from flows.settings import Settings
from tests.keys import declared, keys, places_of
from tests.pages import DOCS, PAGES, TEXTS, blocks, commands, leads_somewhere, links, rows, sections

REFERENCE = "docs/reference"
CONNECTOR = "docs/how-to/add-a-connector.md"
HOW_TO = "docs/how-to/write-a-definition.md"


def documented(page: str, places: Mapping[str, type[BaseModel]]) -> dict[str, dict[str, str]]:
    return {
        place: {key: found for key, _form, found, _meaning in rows(sections(page)[place])}
        for place in places
    }


def test_every_key_of_a_definition_is_described_with_its_default():
    places = places_of(Definition)
    places["The top level"] = places.pop("")

    assert documented(f"{REFERENCE}/definition.md", places) == declared(places)


def test_every_key_of_people_and_connections_is_described_with_its_default():
    places = places_of(People)
    places["people.yaml"] = places.pop("")
    places |= {name: kind.config for name, kind in registry.kinds().items()}

    assert documented(f"{REFERENCE}/people-and-connections.md", places) == declared(places)


def test_every_setting_is_described():
    described = [
        row[0] for row in rows(sections(f"{REFERENCE}/settings.md")["Reference: settings"])
    ]

    assert described == [f"FOLLOWTHROUGH_{name.upper()}" for name in Settings.model_fields]


def test_every_table_and_column_of_the_ledger_is_described():
    found = sections(f"{REFERENCE}/ledger.md")
    described = {name: [row[0] for row in rows(found.get(name, ""))] for name in _tables()}

    assert described == _tables()


def _tables() -> dict[str, list[str]]:
    return {name: list(table.columns.keys()) for name, table in Record.metadata.tables.items()}


@pytest.mark.parametrize("words", [Arm, CaseState, NotificationState, Kind, Move, Stage])
def test_every_word_for_a_state_is_explained(words):
    states = rows(sections(f"{REFERENCE}/ledger.md")["Words for states"])
    written = " ".join(cell for row in states for cell in row)

    assert [word.value for word in words if not re.search(rf"\b{word.value}\b", written)] == []


def test_the_moves_of_a_case_are_those_the_desk_allows():
    described = {
        (state, move)
        for states, move, _to in rows(sections(f"{REFERENCE}/ledger.md")["How a case moves"])
        if move in list(Move)
        for state in states.split(", ")
    }

    assert described == {(state, move.value) for state, moves in MOVES.items() for move in moves}


def test_the_roles_that_allow_each_act_are_those_of_the_table():
    found = sections(f"{REFERENCE}/roles.md")
    described = {
        act: frozenset(roles.split(", ")) for act, _covers, roles in rows(found["What each may do"])
    }

    assert described == {str(act): frozenset(map(str, roles)) for act, roles in ALLOWED.items()}
    assert [row[0] for row in rows(found["Who is what"])] == list(Role)


def test_the_stages_of_a_version_and_the_moves_between_them_are_those_there_are():
    found = rows(sections("docs/explanation/versions-and-stages.md")["Stages"])
    stages, moves = [row[0] for row in found[: len(Stage)]], found[len(Stage) :]

    assert stages == list(Stage)
    assert {stage: tuple(to.split(", ")) for stage, to in moves} == release.MOVES


def test_every_command_is_described_with_its_options():
    page, app = sections(f"{REFERENCE}/command-line.md"), application()
    commands = [name for name in app if not name.startswith("-")]

    described = {name: _options(page.get(name, "")) for name in commands}

    assert described == {name: _names(app[name]) for name in commands}


def test_every_command_is_listed_once_at_the_top():
    page = sections(f"{REFERENCE}/command-line.md")
    table = rows(page["Reference: the command line"])
    listed = re.findall(r"\[(\w+)\]\(#", " ".join(row[0] for row in table))

    assert sorted(listed) == sorted(name for name in application() if not name.startswith("-"))


def test_the_options_of_every_command_are_described():
    app = application()
    described = _options(sections(f"{REFERENCE}/command-line.md")["Options of every command"])

    assert described == _names(app.meta) | {name for name in app if name.startswith("-")}


def _options(section: str) -> set[str]:
    return {name.split()[0] for row in rows(section) for name in row[0].split(", ")}


def _names(app) -> set[str]:
    shown = [each for each in app.assemble_argument_collection() if each.show]
    return {name for each in shown for name in each.names if name.startswith("-")}


def test_every_function_of_the_rule_language_is_described():
    listed = rows(sections(f"{REFERENCE}/expressions.md")["What there is"])
    functions = [row[0].removesuffix("()") for row in listed if row[0].endswith("()")]
    rest = [cell for row in listed for cell in row]

    assert tuple(functions) == FUNCTION_NAMES
    assert [word for word in (each.written for each in OPERATORS.values())
            if not any(word in cell for cell in rest)] == []  # fmt: skip


def test_every_filter_of_templates_is_described():
    listed = rows(sections(f"{REFERENCE}/templates.md")["Filters"])
    (fault,) = template.faults("{{ arr | xyzzy }}", {"arr": FieldSpec(type="float")})

    assert [row[0] for row in listed] == re.findall(r"'(\w+)'", fault.partition("; ")[2])


def test_every_exit_code_is_described():
    listed = rows(sections(f"{REFERENCE}/exit-codes.md")["Reference: exit codes"])

    assert [int(row[0]) for row in listed] == [DONE, WORLD_FAILED, YOURS_TO_FIX, INTERRUPTED]


def test_every_dependency_is_there_for_a_reason():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]
    listed = rows(sections("docs/explanation/architecture.md")["What we depend on, and why"])

    assert {name for row in listed for name in row[0].split(", ")} == {
        re.split(r"[\[<>=]", each)[0] for each in project["dependencies"]
    }


def test_every_verdict_of_a_report_is_explained_in_the_order_it_is_tried():
    listed = rows(sections("docs/explanation/reading-the-report.md")["The verdicts"])

    assert [row[0].strip("*") for row in listed] == list(VerdictKind)


def test_every_column_of_the_archive_is_described():
    described = [row[0] for row in rows(sections(f"{REFERENCE}/archive.md")["Columns"])]

    assert described == list(COLUMNS)


def test_every_word_of_the_glossary_is_used_and_explained_once():
    entries = re.findall(r"^\*\*(.+?)\*\*: ", TEXTS["docs/glossary.md"], re.MULTILINE)
    others = " ".join(text.lower() for name, text in TEXTS.items() if "glossary" not in name)

    assert [word for word in entries if word.lower() not in others] == []
    assert entries == sorted(set(entries), key=lambda word: word.replace("_", " "))


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    assert [link for link in links(name) if not leads_somewhere(name, link)] == []


def test_every_page_can_be_reached_from_the_map():
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links("docs/index.md")}

    assert [name for name, page in PAGES.items() if page not in linked | {DOCS / "index.md"}] == []


def test_every_command_shown_exists():
    app = application()
    everywhere = {"--help", "-h", "--version"} | _names(app.meta)

    for name in TEXTS:
        for words, _ in commands(name):
            if words[0] == "followthrough":
                options = {word for word in words if re.match(r"--?[a-z]", word)}
                assert options <= everywhere | _names(app[words[1]]), (name, words)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """People, connections and definitions as the pages show them, loaded as one workspace."""
    folder = tmp_path_factory.mktemp("workspace")
    people, connections, *_ = blocks(f"{REFERENCE}/people-and-connections.md", "yaml")
    colleague = "  sam.ortiz: {name: Sam Ortiz, email: sam.ortiz@larkfield.example}\n\nroles:"
    (folder / "people.yaml").write_text(people.replace("\nroles:", colleague, 1))
    (folder / "connections.yaml").write_text(connections)
    (whole,) = blocks(f"{REFERENCE}/definition.md", "yaml")
    (folder / "churn-save-call.yaml").write_text(whole)
    pieces = "".join(blocks(HOW_TO, "yaml"))
    (folder / "in-pieces.yaml").write_text(f"decision: in-pieces\n{pieces}")
    return load_workspace(folder, registry.connection_kinds())


def test_whole_definitions_load_and_their_examples_hold(workspace):
    assert set(workspace.decisions) == {"churn-save-call", "in-pieces"}
    for each in workspace.decisions.values():
        assert failed_examples(each, today=date(2026, 11, 20)) == ()


def test_the_whole_definition_leaves_no_key_out(workspace):
    written = workspace.decisions["churn-save-call"].model_dump(by_alias=True, exclude_unset=True)

    assert [key for key in keys(Definition) if key not in written] == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_piece_of_yaml_can_be_read(name):
    for block in blocks(name, "yaml"):
        assert parsed_yaml(block, name).faults == ()


def test_every_question_to_the_ledger_can_be_asked():
    engine = create_engine("sqlite://")
    Record.metadata.create_all(engine)

    with engine.connect() as connection:
        for name in ("docs/how-to/read-the-ledger.md", "docs/how-to/run-with-prefect.md"):
            for query in blocks(name, "sql"):
                connection.execute(text(query))


def test_the_connector_shown_is_found_and_works(tmp_path, monkeypatch, capsys):
    (entry_point,) = blocks(CONNECTOR, "toml")
    module, trial = blocks(CONNECTOR, "python")
    about = tmp_path / "larkfield_spool-1.0.dist-info"
    about.mkdir()
    (tmp_path / "larkfield_spool.py").write_text(module)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: larkfield-spool\nVersion: 1.0\n")
    (named,) = re.findall(r'^spool = "(.+)"$', entry_point, re.MULTILINE)
    (about / "entry_points.txt").write_text(f"[{registry.ENTRY_POINTS}]\nspool = {named}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    exec(compile(trial, CONNECTOR, "exec"), {})

    assert registry.kinds()["spool"].role == "channel"
    assert "mia.chen has no folder" in capsys.readouterr().out


def test_the_connector_shown_imports_two_modules_of_ours():
    tree = ast.parse(blocks(CONNECTOR, "python")[0])
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {each for each in imported if each.startswith("decisions")} == {
        "decisions.errors",
        "decisions.ports",
    }
    assert not imported & {"connectors", "flows", "inbox"}
