from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connectors import registry
from decisions.definition import Definition
from decisions.errors import DefinitionError
from decisions.workspace.faults import read_as
from decisions.workspace.schema import schemas, text_of, write_schemas
from decisions.workspace.yaml_text import YamlText, parsed_yaml, read_yaml
from flows.starter import make_workspace
from tests.pages import TEXTS, blocks
from tests.samples import MONDAY

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "reference" / "schema"
WORKSPACES = [ROOT / "decisions" / "definitions", *sorted((ROOT / "examples").glob("*/"))]
WRITTEN = sorted(path for each in WORKSPACES for path in each.glob("*.yaml"))
BAD = ROOT / "tests" / "unit" / "definitions"
BEYOND = {
    "alpha-of-a-half",
    "assignee-limit-per-week",
    "bounds-on-a-text",
    "cost-without-a-value",
    "cron-out-of-range",
    "holdout-of-everybody",
    "min-above-max",
    "override-reason-twice",
    "rows-of-too-many-runs",
    "slice-parted-out-of-order",
    "slice-twice",
    "span-too-long",
    "unknown-zone",
}
"""Faults of a value or between two that no schema says; `check` does."""


@pytest.fixture(scope="module")
def validators():
    described = schemas(registry.connection_kinds())
    return {name: Draft202012Validator(each) for name, each in described.items()}


def kind_of(path: Path) -> str:
    return path.stem if path.stem in {"people", "connections"} else "definition"


def complaints(validators, kind: str, text: YamlText) -> list[str]:
    return [each.message for each in validators[kind].iter_errors(text.content)]


def readable(path: Path) -> YamlText | None:
    try:
        return read_yaml(path, path.name)
    except DefinitionError:
        return None


def test_the_schemas_in_the_repository_are_those_of_the_models():
    described = schemas(registry.connection_kinds())

    stale = [
        name
        for name, each in described.items()
        if (COMMITTED / f"{name}.json").read_text() != text_of(each)
    ]

    assert stale == [], "followthrough schema --output docs/reference/schema"


def test_every_schema_is_one(validators):
    for each in validators.values():
        Draft202012Validator.check_schema(each.schema)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_that_ships_fits_its_schema_and_names_it(validators, path):
    first_line = path.read_text().splitlines()[0]
    named = first_line.removeprefix("# yaml-language-server: $schema=")

    assert complaints(validators, kind_of(path), read_yaml(path, path.name)) == []
    assert (path.parent / named).resolve() == COMMITTED / f"{kind_of(path)}.json"


def test_a_new_workspace_has_the_schemas_its_files_name(validators, tmp_path):
    make_workspace(tmp_path, MONDAY)

    for path in tmp_path.glob("*.yaml"):
        named = path.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert (tmp_path / named).read_text() == (COMMITTED / f"{kind_of(path)}.json").read_text()
        assert complaints(validators, kind_of(path), read_yaml(path, path.name)) == []


@pytest.mark.parametrize("name", [name for name in TEXTS if "definition.md" in name])
def test_the_whole_definition_of_the_reference_fits(validators, name):
    for block in blocks(name, "yaml"):
        text = parsed_yaml(block, name)
        if isinstance(text.content, dict) and "decision" in text.content:
            assert complaints(validators, "definition", text) == []


def test_what_the_models_refuse_the_schema_refuses_unless_it_cannot_say_it(validators):
    definitions = [path for path in BAD.glob("*.yaml") if kind_of(path) == "definition"]
    texts = {path.stem: text for path in definitions if (text := readable(path)) is not None}
    refused = {name for name, text in texts.items() if read_as(Definition, text).faults}
    noticed = {name for name, text in texts.items() if complaints(validators, "definition", text)}

    assert refused - noticed == BEYOND
    assert noticed - refused == set()


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        pytest.param("w: {type: duckdb, path: w.duckdb}", True, id="a-warehouse"),
        pytest.param("w: {type: duckdb, pth: w.duckdb}", False, id="a-misspelt-key"),
        pytest.param("w: {path: w.duckdb}", False, id="no-type"),
        pytest.param("w: {type: oracle}", False, id="an-unknown-type"),
        pytest.param('s: {type: slack, token: "${TOKEN}"}', True, id="a-reference"),
        pytest.param("s: {type: slack, token: xoxb-1}", False, id="a-bare-secret"),
        pytest.param("s: {type: slack}", False, id="a-required-key-left-out"),
    ],
)
def test_connections_are_checked_by_their_type(validators, line, fits):
    assert (complaints(validators, "connections", parsed_yaml(line, "c.yaml")) == []) == fits


def test_a_connector_of_ones_own_is_in_the_schema(tmp_path):
    kinds = {"spool": registry.connection_kinds()["duckdb"]}

    written = write_schemas(tmp_path / "new", kinds)

    assert [path.name for path in written] == [
        "definition.json",
        "people.json",
        "connections.json",
    ]
    assert '"const": "spool"' in written[-1].read_text()
