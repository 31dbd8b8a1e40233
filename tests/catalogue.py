"""The fault catalogue as the documentation has it: which tests show which row."""

import ast
from pathlib import Path

from tests.pages import rows, sections

TESTS = Path(__file__).parent


def faults() -> dict[str, tuple[str, ...]]:
    """Return the tests of each row, by its number."""
    table = rows(sections("docs/reference/faults.md")["Reference: faults"])
    return {row[0]: tuple(row[3].split(", ")) for row in table}


def proofs() -> dict[str, list[str]]:
    """Return the rows that each test shows something of."""
    found: dict[str, list[str]] = {}
    for number, names in faults().items():
        for name in names:
            found.setdefault(name, []).append(number)
    return found


def written() -> set[str]:
    """Return the name of every test there is."""
    return {
        node.name
        for file in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
