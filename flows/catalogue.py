"""The catalogue of a workspace: a page for each decision and one that leads to them.

Static HTML without script or outside reference, to be put wherever colleagues look things up.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from decisions.definition import NOTHING, OWNER_ROLES, Definition, FieldSpec
from decisions.effectiveness import written
from decisions.ownership import People
from decisions.phrase import label
from decisions.workspace import Workspace
from flows.operating_boundary import escalation, names, operating_boundary, words

INDEX = "index.html"
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)[^}]*\}\}")
_ELSE = re.compile(r"\{%-?\s*el(?:se|if)\b[^%]*%\}")
_TAG = re.compile(r"\{%[^%]*%\}")


def write_catalogue(
    workspace: Workspace, folder: Path, *, today: date, standings: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the pages of every decision and the one that leads to them.

    Args:
        workspace: What to describe.
        folder: Where to; made if it does not exist. Pages of the same name are replaced.
        today: The present date, to say which review is overdue.
        standings: Of each decision whether its file is the version in force, in words.

    Returns:
        The pages, the index first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = {INDEX: _index(workspace, today)}
    for name, definition in workspace.decisions.items():
        pages[f"{name}.html"] = _page(
            definition, workspace.people, today, (standings or {}).get(name)
        )
    paths = []
    for name, text in pages.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _index(workspace: Workspace, today: date) -> str:
    decisions = [
        {
            "name": name,
            "question": definition.purpose.question,
            "owner": names(definition, workspace.people).of("business").partition(" (")[0],
            "asked": ", ".join(_asked(definition)),
            "review_by": definition.review_by,
            "overdue": definition.review_by < today,
        }
        for name, definition in workspace.decisions.items()
    ]
    return _render("catalogue_index.html.j2", decisions=decisions, today=today)


def _asked(definition: Definition) -> list[str]:
    done = [rule.do for rule in definition.rules] + [definition.otherwise]
    return list(dict.fromkeys(name for name in done if name != NOTHING))


def _page(definition: Definition, people: People, today: date, standing: str | None) -> str:
    named = names(definition, people)
    return _render(
        "catalogue_decision.html.j2",
        d=definition,
        today=today,
        standing=standing,
        owners=[
            (role, named.of(role).partition(" (")[0])
            for role in OWNER_ROLES
            if getattr(definition.owners, role)
        ],
        boundary=operating_boundary(definition, people),
        rules=[(rule, words(definition, rule.when)) for rule in definition.rules],
        withheld=[(each, words(definition, each.when), named.of(each.to))
                  for each in definition.withhold],
        actions=[
            (name, action, named.of(action.assign or "business"), escalation(action, named))
            for name, action in definition.actions.items()
        ],
        fields=[(name, spec, _demanded(spec)) for name, spec in definition.fields.items()],
    )  # fmt: skip


def _demanded(spec: FieldSpec) -> str:
    """Return what the values of a field must satisfy, in words."""
    bounds = ((spec.min, "at least"), (spec.max, "at most"))
    said = [f"{word} {bound:g}" for bound, word in bounds if bound is not None]
    if spec.allowed is not None:
        said.append("one of " + ", ".join(map(str, spec.allowed)))
    if spec.nulls == "allowed":
        said.append("may be missing")
    elif spec.nulls is not None:
        said.append(f"missing in at most {spec.nulls}")
    return ", ".join(said)


def _told(template: str, definition: Definition) -> str:
    """Return a template as a reader sees it: fields by their names, alternatives side by side."""
    fields = definition.nameable
    shown = _PLACEHOLDER.sub(lambda match: f"[{label(match[1], fields)}]", template)
    return " ".join(_TAG.sub("", _ELSE.sub(" / ", shown)).split())


def _render(template: str, **known: Any) -> str:
    return _environment().get_template(template).render(**known)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": written.day, "told": _told, "called": label}
    return environment
