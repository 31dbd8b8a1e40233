"""The documentation as tests read it: its prose, blocks, sections, tables and commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {page.relative_to(ROOT).as_posix(): page for page in sorted(DOCS.rglob("*.md"))}
TEXTS = {name: page.read_text() for name, page in PAGES.items()}
TEXTS["README.md"] = (ROOT / "README.md").read_text()
"""Every page by its name from the root."""

_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")


def prose(name: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCED.sub("", TEXTS[name])


def blocks(name: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, without their indent."""
    return [
        "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))
        for indent, found, code in _FENCED.findall(TEXTS[name])
        if found == language
    ]


def commands(name: str) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each command a page shows, and what it shows below."""
    for block in blocks(name, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield shlex.split(line, comments=True), shown


def links(name: str) -> list[str]:
    """Return where a page's relative links lead."""
    return [link for link in _LINK.findall(prose(name)) if "://" not in link]


def leads_somewhere(name: str, link: str) -> bool:
    """Whether a relative link of a page leads to a file and, if it names one, to a heading."""
    path, _, anchor = link.partition("#")
    target = (PAGES.get(name, ROOT / name).parent / path).resolve() if path else ROOT / name
    return target.exists() and (
        not anchor or anchor in _anchors(target.relative_to(ROOT).as_posix())
    )


def sections(name: str) -> dict[str, str]:
    """Return what stands under each heading, by the heading without its markup."""
    parts = _HEADING.split(prose(name))
    heads = (head.replace("`", "") for head in parts[1::2])
    return dict(zip(heads, parts[2::2], strict=True))


def rows(section: str) -> list[list[str]]:
    """Return the cells of a section's tables, without their heads and without code marks."""
    found = [
        [cell.strip().replace("`", "").replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    rules = [place for place, row in enumerate(found) if set("".join(row)) <= set("-: ")]
    skipped = {rule - shift for rule in rules for shift in (0, 1)}
    return [row for place, row in enumerate(found) if place not in skipped]


def _anchors(name: str) -> set[str]:
    heads = _HEADING.findall(prose(name))
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
