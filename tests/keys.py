"""The keys that models take in a file, with the place they stand at and their defaults."""

from collections.abc import Iterator, Mapping
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by the keys they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def places_of(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return each model below one, and itself, by the first place its keys stand at."""
    first: dict[type[BaseModel], str] = {}
    for place, found in _models(model):
        first.setdefault(found, place)
    return {place: found for found, place in first.items()}


def declared(places: Mapping[str, type[BaseModel]]) -> dict[str, dict[str, str]]:
    """Return the default of every key, by place, as the reference writes it."""
    return {
        place: {key: _default(field) for key, field in keys(model).items()}
        for place, model in places.items()
    }


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below" if value.model_dump(exclude_none=True) else "none"
    return str(value) if value else "none"


def _models(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    yield place, model
    for key, field in keys(model).items():
        inner = f"{place}.{key}".removeprefix(".")
        for suffix, found in _models_in(field.annotation):
            yield from _models(found, inner + suffix)


def _models_in(annotation: object) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    origin = get_origin(annotation)
    suffix = ".*" if origin is dict else "[]" if origin is tuple else ""
    for part in get_args(annotation):
        yield from ((suffix + more, found) for more, found in _models_in(part))
