import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("decisions", "connectors", "flows", "inbox")
PLANTED = [
    pytest.param("rooms", "decisions/errors.py", "connectors", id="domain-reaches-for-connectors"),
    pytest.param("rooms", "connectors/__init__.py", "flows", id="connector-reaches-for-flows"),
    pytest.param("rooms", "flows/__init__.py", "inbox", id="flows-reach-for-the-inbox"),
    pytest.param("storeys", "decisions/errors.py", "decisions.desk", id="errors-reach-for-desk"),
    pytest.param("domain-is-offline", "decisions/desk.py", "httpx", id="domain-goes-online"),
    pytest.param(
        "only-the-ledger-knows-sql-tables",
        "decisions/desk.py",
        "sqlalchemy.orm",
        id="desk-reads-tables",
    ),
    pytest.param(
        "connectors-are-strangers",
        "connectors/slack/__init__.py",
        "connectors.warehouse",
        id="connectors-meet",
    ),
    pytest.param(
        "prefect-at-the-edge", "connectors/registry.py", "prefect", id="connector-knows-prefect"
    ),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the rooms and of their contracts, to be spoiled."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("lint-imports"))
    command = [program, "--no-logo", "--no-cache", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_holds():
    verdict = lint(ROOT)

    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.parametrize(("contract", "module", "imported"), PLANTED)
def test_a_contract_is_broken_by_an_import_against_it(house, contract, module, imported):
    with (house / module).open("a") as source:
        source.write(f"\nimport {imported}\n")

    verdict = lint(house, "--contract", contract)

    importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert verdict.returncode == 1
    assert f"{importer} -> " in verdict.stdout


def test_every_contract_has_been_seen_to_break():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

    assert {case.values[0] for case in PLANTED} == {each["id"] for each in contracts["contracts"]}
