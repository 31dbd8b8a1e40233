"""What the tutorial shows is what the command line says."""

import re
import shlex
from pathlib import Path

import pytest

from flows.cli import main
from tests.pages import commands

WHEN = "2026-11-23T09:00"
"""When the tutorial's reader begins; what it shows later says so itself."""
SLIPS = (
    ("  business:", "  busines:"),
    ("late_probability >= 0.7 AND", "late_probabilty >= 0.7 AND"),
)
"""What the reader is told to get wrong, so as to see what it looks like."""


def slip(definition: Path, *, back: bool = False) -> None:
    text = definition.read_text()
    for right, wrong in SLIPS:
        text = text.replace(wrong, right) if back else text.replace(right, wrong, 1)
    definition.write_text(text)


def told(shown: list[str], found: list[str]) -> bool:
    """Whether a page shows all that was said; ``…`` stands for any lines, and hashes differ."""
    pattern = "".join(
        r"(.*\n)*" if line == "…" else f"{re.escape(_without_hash(line))}\n"
        for line in shown
        if line
    )
    said = "".join(f"{_without_hash(line)}\n" for line in found if line)
    return re.fullmatch(pattern, said) is not None


def _without_hash(line: str) -> str:
    return re.sub(r"^(head +)[0-9a-f]{64}$", r"\1…", line)


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Somebody who types what a page shows, in a fresh folder, and compares."""
    for name in ("WORKSPACE", "HOME", "LEDGER", "PERSON"):
        monkeypatch.delenv(f"FOLLOWTHROUGH_{name}", raising=False)
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("page", ["docs/tutorial/first-case.md", "README.md"])
def test_a_reader_sees_what_the_page_shows(page, monkeypatch, capsys):
    for words, shown in commands(page):
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        if words[0] != "followthrough" or words[1] == "serve":
            continue
        has_slips = "nothing was loaded" in shown
        if has_slips:
            slip(Path("late-invoice-call.yaml"))

        main([*words[1:], *([] if "--as-of" in words else ["--as-of", WHEN])])

        if has_slips:
            slip(Path("late-invoice-call.yaml"), back=True)
        said = capsys.readouterr()
        found = [line.rstrip() for line in (said.err + said.out).splitlines()]
        if shown.strip():
            assert told(shown.splitlines(), found), f"$ {shlex.join(words)}\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("shown", "found", "holds"),
    [
        (["a", "b"], ["a", "", "b"], True),
        (["a", "…"], ["a", "b", "c"], True),
        (["a", "…", "c"], ["a", "b", "c"], True),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        (["a", "c"], ["a", "b", "c"], False),
    ],
)
def test_a_page_shows_every_line_unless_it_says_that_it_leaves_some_out(shown, found, holds):
    assert told(shown, found) == holds
