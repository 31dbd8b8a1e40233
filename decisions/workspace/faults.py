"""From a file's content to a model: every fault in words of our own, at its line.

Where a content has faults, what can be read of it is kept, so that one look finds all faults and
not only those of the first kind.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from decisions.errors import Fault, Place
from decisions.suggestions import choices, cut, did_you_mean
from decisions.workspace.yaml_text import YamlText

LONGEST_QUOTE = 60
"""Characters of a found value that a fault repeats."""

M = TypeVar("M", bound=BaseModel)

_ADVICE = {
    "string_type": "put the text in quotes",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "model_type": "write keys with values",
    "dict_type": "write keys with values",
    "tuple_type": "write a list",
    "list_type": "write a list",
    "string_too_short": "it may not be empty",
}
_LIMITS = {
    "string_too_long": "at most {max_length} characters are allowed",
    "too_short": "at least {min_length} is needed",
    "too_long": "at most {max_length} are allowed",
    "greater_than_equal": "write at least {ge}",
    "less_than_equal": "write at most {le}",
}


@dataclass(frozen=True, slots=True)
class Reading(Generic[M]):
    """What came of reading a content as a model.

    Attributes:
        model: The model; where there are faults, with empty values in place of faulty ones.
        faults: What is wrong, each at its line.
    """

    model: M
    faults: tuple[Fault, ...]


def read_as(
    kind: type[M], text: YamlText, *, place: Place = (), content: object = None, quote: bool = True
) -> Reading[M]:
    """Read a content as a model.

    Args:
        kind: The model.
        text: The file, for its lines.
        place: Where in the file the content stands.
        content: The content; the whole file's if left out.
        quote: Whether faults may repeat what was found; not for files that may hold secrets.
    """
    content = text.content if content is None and not place else content
    try:
        return Reading(kind.model_validate(content, by_alias=True, by_name=False), ())
    except ValidationError as error:
        details = error.errors(include_url=False)
    unknown = [each["loc"] for each in details if each["type"] == "extra_forbidden"]
    told = (
        _sentence(detail, kind, place, content, quote=quote)
        for detail in details
        if not _follows_from_another(detail, unknown)
    )
    return Reading(salvaged(kind, content), tuple(text.fault(*each) for each in told))


def salvaged(kind: Any, value: object) -> Any:
    """Return what can be read of a value, with empty values where nothing can."""
    try:
        return TypeAdapter(kind).validate_python(value, by_alias=True, by_name=False)
    except ValidationError:
        pass
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _salvaged_model(kind, value if isinstance(value, Mapping) else {})
    if get_origin(kind) is tuple:
        items = value if isinstance(value, list) else []
        return tuple(salvaged(get_args(kind)[0], item) for item in items)
    if get_origin(kind) is dict:
        entries = value if isinstance(value, Mapping) else {}
        return {key: salvaged(get_args(kind)[1], entry) for key, entry in entries.items()}
    return "" if kind is str else None


def written(place: Place) -> str:
    """Return a place as a person writes it: ``actions.call.escalate[1].after``."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(parts).removeprefix(".")


def _salvaged_model(kind: type[BaseModel], given: Mapping[str, object]) -> BaseModel:
    values: dict[str, Any] = {}
    for key, field in _keys(kind).items():
        if key in given or field.is_required():
            values[key] = salvaged(field.rebuild_annotation(), given.get(key))
        else:
            values[key] = field.get_default(call_default_factory=True)
    return kind.model_construct(**values)


def _keys(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """Return a model's fields by the keys they have in a file."""
    fields = model.model_fields if model else {}
    return {field.alias or name: field for name, field in fields.items()}


def _bare(kind: Any) -> Any:
    """Return an annotation without its metadata and without None."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    parts = [each for each in get_args(kind) if each is not NoneType]
    return _bare(parts[0]) if len(parts) == 1 and NoneType in get_args(kind) else kind


def _sentence(
    detail: ErrorDetails, kind: type[BaseModel], above: Place, content: object, *, quote: bool
) -> tuple[Place, str]:
    """Return the place of a fault in its file, and what to say of it."""
    within = detail["loc"]
    place = (*above, *within)
    model = _model_at(kind, within[:-1])
    if detail["type"] == "extra_forbidden":
        return place, _unknown_key(model, place)
    if detail["type"] == "missing":
        return place[:-1], _missing_key(model, place)
    advice = _advice(detail)
    if within and within[-1] == "[key]":
        return place[:-1], f"the name {within[-2]!r} in {written(place[:-2])}: {advice}"
    if quote and (found := _found(content, within)):
        return place, f"{written(place)} is {found}; {advice}"
    if not quote and any(part in advice for part in _texts(detail["input"])):
        advice = "what is written here does not fit"
    return place, ": ".join(filter(None, (written(place), advice)))


def _texts(value: object) -> Iterator[str]:
    """Yield every text within a value, at any depth."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
    elif value not in {None, ""}:
        yield str(value)


def _follows_from_another(detail: ErrorDetails, unknown: Sequence[Place]) -> bool:
    """Whether a fault is only the shadow of one that is told anyway.

    A key is missing because it is misspelt, or a list is too short because its items are faulty.
    """
    place = detail["loc"]
    if detail["type"] == "missing":
        beside = [str(each[-1]) for each in unknown if each[:-1] == place[:-1]]
        return any(did_you_mean(each, [str(place[-1])]) for each in beside)
    if detail["type"] == "too_short":
        return len(detail["input"]) >= int(detail["ctx"]["min_length"])
    return False


def _unknown_key(model: type[BaseModel] | None, place: Place) -> str:
    where = f" in {written(place[:-1])}" if place[:-1] else ""
    advice = choices(str(place[-1]), _keys(model), verb="allowed are")
    return f"unknown key {place[-1]!r}{where}; {advice}"


def _missing_key(model: type[BaseModel] | None, place: Place) -> str:
    field = _keys(model).get(str(place[-1]))
    described = field.description if field else None
    first_line = described.splitlines()[0].rstrip(".").replace("``", "") if described else ""
    meaning = f": {first_line}" if first_line else ""
    return f"{written(place[:-1]) or 'the file'} lacks {str(place[-1])!r}{meaning}"


def _model_at(kind: Any, place: Place) -> type[BaseModel] | None:
    """Return the model whose keys stand at a place."""
    kind = _bare(kind)
    for step in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = _keys(kind).get(str(step))
            kind = _bare(field.annotation) if field else None
        else:
            kind = _bare(get_args(kind)[-1 if get_origin(kind) is dict else 0])
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _found(content: object, place: Place) -> str | None:
    """Return what stands at a place, short enough to be repeated; None for what is not a value."""
    for step in place:
        try:
            content = content[step]  # type: ignore[index]
        except (TypeError, LookupError):
            break
    if content is None:
        return "empty"
    if isinstance(content, Mapping | list):
        return None
    return cut(repr(content), LONGEST_QUOTE)


def _advice(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        near = did_you_mean(str(detail["input"]), allowed)
        return near or "write " + " or ".join(map(repr, allowed))
    if kind in _LIMITS:
        return _LIMITS[kind].format(**context)
    return _ADVICE.get(kind) or detail["msg"]
