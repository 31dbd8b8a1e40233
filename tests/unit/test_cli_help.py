import re
import subprocess
import sys

import pytest

from flows.cli import main
from flows.cli.app import application

COMMANDS = [name for name in application() if not name.startswith("-")]
HEAVY = ("prefect", "duckdb", "pyarrow", "sqlalchemy", "sqlglot", "slack_sdk", "fastapi")


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """A terminal of eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")


def test_the_program_alone_prints_the_overview(capsys):
    assert main([]) == 0

    overview = capsys.readouterr().out
    assert [name for name in COMMANDS if not re.search(rf"│ {name} ", overview)] == []
    assert "Exit codes: 0 done" in overview


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example_of_its_own(command, capsys):
    assert main([command, "--help"]) == 0

    shown = capsys.readouterr().out
    _, _, examples = shown.partition("Examples:\n")
    assert f"followthrough {command}" in examples
    assert "--as-of" in shown


@pytest.mark.parametrize("words", [[], *([command, "--help"] for command in COMMANDS)])
def test_help_fits_eighty_columns(words, capsys):
    main(words)

    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_the_overview_needs_nothing_heavy():
    script = (
        "import sys; from flows.cli import main; main(['--help']); "
        f"sys.exit(', '.join(set({HEAVY!r}) & set(sys.modules)) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.stderr == ""


def test_options_may_stand_on_either_side_of_the_command(capsys, tmp_path):
    before = main(["--workspace", str(tmp_path / "none"), "check"]), capsys.readouterr().err
    after = main(["check", "--workspace", str(tmp_path / "none")]), capsys.readouterr().err

    assert before == after
    assert before[0] == 2
