"""Connections: where data lies and how people are reached; secrets only as ``${NAME}``."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr, ValidationError

from decisions.errors import DefinitionError, Fault
from decisions.suggestions import choices
from decisions.workspace.coherence import Role
from decisions.workspace.faults import read_as, written
from decisions.workspace.yaml_text import YamlText

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How a value names the variable that holds it."""


@dataclass(frozen=True, slots=True)
class ConnectionKind:
    """What a ``type`` of connection is.

    Attributes:
        role: What it can be named as in a definition.
        config: The keys it takes beside ``type``.
    """

    role: Role
    config: type[BaseModel]


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """One entry of ``connections.yaml``.

    Attributes:
        name: What definitions call it.
        type: Its kind.
        role: What it can be named as in a definition.
        config: Its keys, references such as ``${SLACK_BOT_TOKEN}`` not filled in.
        file: The file it stands in.
        line: Line in the file.
    """

    name: str
    type: str
    role: Role
    config: BaseModel
    file: str
    line: int


def resolved(
    spec: ConnectionSpec, environ: Mapping[str, str], *, optional: Container[str] = ()
) -> BaseModel:
    """Return a connection's config with every ``${NAME}`` filled in.

    Args:
        spec: The connection.
        environ: The variables.
        optional: Keys that are None, instead of a fault, where their variable is not set.

    Raises:
        DefinitionError: A variable is not set or empty, or a value does not fit once filled in.
    """
    faults: list[Fault] = []
    values: dict[str, object] = {}
    for key, value in spec.config.model_dump(by_alias=True, exclude_unset=True).items():
        missing = [name for name in _references(value) if not environ.get(name)]
        if missing and key in optional:
            values[key] = None
            continue
        for name in missing:
            text = f"{spec.name}.{key} needs the variable {name}, which is not set"
            faults.append(Fault(spec.file, spec.line, text))
        values[key] = _filled(value, environ)
    if not faults:
        try:
            return type(spec.config).model_validate(values)
        except ValidationError as error:
            # Not chained and not quoted: the values hold secrets by now.
            faults = [
                Fault(spec.file, spec.line, f"{spec.name}.{written(each['loc'])} does not fit")
                for each in error.errors(include_input=False, include_url=False)
            ]
    raise DefinitionError(faults) from None


def read_connection(
    name: str, entry: object, text: YamlText, kinds: Mapping[str, ConnectionKind]
) -> tuple[ConnectionSpec | None, tuple[Fault, ...]]:
    """Return one entry of ``connections.yaml``, None if its type is not known, and its faults.

    What stands in that file may be a secret, so that no fault repeats any of it.

    Args:
        name: The entry's name.
        entry: Its content.
        text: The file.
        kinds: The types of connection there are.
    """
    keys = dict(entry) if isinstance(entry, dict) else {}
    wanted = keys.pop("type", None)
    kind = kinds.get(wanted) if isinstance(wanted, str) else None
    if kind is None:
        found = f"is of no type known: {choices(str(wanted or ''), kinds)}"
        return None, (text.fault((name, "type"), f"connection {name!r} {found}"),)
    reading = read_as(kind.config, text, place=(name,), content=keys, quote=False)
    spec = ConnectionSpec(
        name, str(wanted), kind.role, reading.model, text.file, text.line((name,))
    )
    return spec, (*reading.faults, *_bare_secrets(name, reading.model, text))


def _bare_secrets(name: str, config: BaseModel, text: YamlText) -> Iterator[Fault]:
    for field, spec in type(config).model_fields.items():
        value, key = getattr(config, field, None), spec.alias or field
        if isinstance(value, SecretStr) and not REFERENCE.fullmatch(value.get_secret_value()):
            variable = re.sub(r"\W", "_", f"{name}_{key}").upper()
            advice = f'write "${{{variable}}}" and set that variable'
            yield text.fault((name, key), f"{name}.{key} is a secret; {advice}")


def _references(value: object) -> Iterator[str]:
    """Yield the variables a value refers to, at any depth."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _references(part)


def _filled(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: environ.get(match[1], ""), value)
    if isinstance(value, dict):
        return {key: _filled(part, environ) for key, part in value.items()}
    return [_filled(part, environ) for part in value] if isinstance(value, list | tuple) else value
