"""Where the demo plays: a folder of its own with a copy of the workspace that ships."""

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from ruamel.yaml import YAML

from decisions.definition import OWNER_ROLES, Definition
from decisions.errors import NotUnderstood
from decisions.ownership import People
from flows.settings import SHIPPED_WORKSPACE, Settings

MARKER = "demo.json"
"""The file by which a folder is known to be a demo, and may be replaced by the next."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's folder.

    Attributes:
        folder: The folder itself; ledger and reports lie in it.
        workspace: The copy of the workspace.
        warehouse: The DuckDB file that stands for the company's warehouse.
        prefect: Where Prefect keeps the flow runs.
    """

    folder: Path
    workspace: Path
    warehouse: Path
    prefect: Path

    @property
    def settings(self) -> Settings:
        """The settings of a deployment on this stage, whatever the environment says."""
        return Settings(workspace=self.workspace, home=self.folder, ledger=None, reports=None)


def cleared(folder: Path, **told: object) -> Stage:
    """Return an empty stage with a fresh copy of the workspace; an earlier demo is removed.

    Args:
        folder: Where; made if it does not exist.
        told: What the demo was asked for; kept in its marker.

    Raises:
        NotUnderstood: The folder holds something that is not a demo.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder / MARKER).is_file() and _is_used(folder):
        raise NotUnderstood(
            f"{folder} is not empty and holds no earlier demo; it was left as it is, "
            "name another folder"
        )
    if folder.exists():
        shutil.rmtree(folder)
    stage = Stage(
        folder=folder,
        workspace=folder / "workspace",
        warehouse=folder / "workspace" / "warehouse.duckdb",
        prefect=folder / "prefect",
    )
    folder.mkdir(parents=True)
    (folder / MARKER).write_text(json.dumps(told, indent=2, default=str) + "\n")
    shutil.copytree(
        SHIPPED_WORKSPACE, stage.workspace, ignore=shutil.ignore_patterns("*.duckdb*", "*.py*")
    )
    return stage


def _is_used(folder: Path) -> bool:
    return not folder.is_dir() or any(folder.iterdir())


def account_managers(people: People, definition: Definition) -> list[str]:
    """Return the keys of the people who neither lead somebody nor own the decision."""
    owners = {getattr(definition.owners, role) for role in OWNER_ROLES}
    leaders = {person.manager for person in people.people.values()}
    busy = leaders | {people.roles.get(name, name) for name in owners} | set(people.roles.values())
    return sorted(set(people.people) - busy)


def grant_leave(workspace: Path, managers: Sequence[str], *, until: datetime) -> None:
    """Write leave into people.yaml: some weeks ago for one manager, at this moment for another.

    Args:
        workspace: The copy; the workspace that ships stays as it is.
        managers: Keys of the account managers, at least two.
        until: When the story ends (timezone-aware).
    """
    path, yaml = workspace / "people.yaml", YAML()
    content = yaml.load(path)
    today = until.date()
    leaves = (
        (managers[0], managers[1], today - timedelta(days=75), today - timedelta(days=62)),
        (managers[-1], managers[0], today - timedelta(days=3), today + timedelta(days=8)),
    )
    content.setdefault("cover", []).extend(
        {"of": of, "by": by, "from": begins_on, "until": ends_on, "because": "leave"}
        for of, by, begins_on, ends_on in leaves
    )
    yaml.dump(content, path)


def write_tables(database: Path, tables: Mapping[str, pa.Table]) -> None:
    """Replace tables of a DuckDB file; it is open no longer than that.

    Args:
        database: The file; made if it does not exist.
        tables: By name.
    """
    with closing(duckdb.connect(str(database))) as connection:
        for name, rows in tables.items():
            connection.register("rows_to_write", rows)
            connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM rows_to_write')
