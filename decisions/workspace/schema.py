"""JSON Schemas of a workspace's files, made from the models that read them.

An editor completes and checks with them; what only the whole workspace can show is left to
``check``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from decisions.definition import Definition
from decisions.ownership import People
from decisions.workspace.connections import REFERENCE, ConnectionKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FileKind = Literal["definition", "people", "connections"]
"""The kinds of file a workspace has: each decision's, and the two beside them."""


class _Readable(GenerateJsonSchema):
    """Schemas that refuse keys which fit no pattern, as the models do."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described


def schemas(kinds: Mapping[str, ConnectionKind]) -> dict[FileKind, dict[str, Any]]:
    """Return the schema of each kind of file.

    Args:
        kinds: The types of connection there are.
    """
    return {
        "definition": _schema(Definition, "A decision of Followthrough"),
        "people": _schema(People, "people.yaml of Followthrough"),
        "connections": _connections(kinds),
    }


def write_schemas(folder: Path, kinds: Mapping[str, ConnectionKind]) -> list[Path]:
    """Write the schema of each kind of file into a folder, made if it does not exist.

    Args:
        folder: Where to.
        kinds: The types of connection there are.

    Returns:
        The files, named like what they describe: ``definition.json`` and so on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, described in schemas(kinds).items():
        path = folder / f"{name}.json"
        path.write_text(text_of(described), encoding="utf-8")
        written.append(path)
    return written


def text_of(described: Mapping[str, Any]) -> str:
    """Return a schema as it is written to a file."""
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    described = _plain(model.model_json_schema(by_alias=True, schema_generator=_Readable))
    return {"$schema": DIALECT, "title": title, **described}


def _connections(kinds: Mapping[str, ConnectionKind]) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "title": "connections.yaml of Followthrough",
        "description": "Where data lies and how people are reached; secrets only as ${NAME}.",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": sorted(kinds)}},
            "oneOf": [_connection(name, kinds[name].config) for name in sorted(kinds)],
        },
    }


def _connection(name: str, config: type[BaseModel]) -> dict[str, Any]:
    described = _plain(config.model_json_schema(by_alias=True, schema_generator=_Readable))
    properties = {"type": {"const": name}} | described["properties"]
    required = ["type", *described.get("required", ())]
    return {**described, "properties": properties, "required": required}


def _plain(described: Any) -> Any:
    """Return a schema as an editor shows it.

    Without titles that only repeat a key, with descriptions of one paragraph, secrets as
    references to variables.
    """
    if isinstance(described, list):
        return [_plain(each) for each in described]
    if not isinstance(described, dict):
        return described
    plain = {
        key: _plain(value)
        for key, value in described.items()
        if not (key == "title" and isinstance(value, str))
    }
    if plain.get("format") == "password":
        return {"type": "string", "pattern": f"^{REFERENCE.pattern}$"}
    if isinstance(plain.get("description"), str):
        plain["description"] = plain["description"].split("\n\n")[0].replace("``", "")
    if "default" in plain and plain["default"] is None:
        del plain["default"]
    return plain
