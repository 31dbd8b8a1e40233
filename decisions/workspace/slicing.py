"""Whether the fields that a report parts its subjects by can be parted by."""

from collections.abc import Iterator

from decisions.definition import Definition
from decisions.errors import Place
from decisions.suggestions import choices

_NUMBERS = ("float", "integer", "decimal")
_WHOLE = ("string", "boolean")


def slice_faults(definition: Definition) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with the slices of a definition: where, and what."""
    for i, each in enumerate(definition.report.slices):
        place: Place = ("report", "slices", i, "by")
        spec = definition.fields.get(each.by)
        if spec is None:
            known = choices(each.by, list(definition.fields))
            yield place, f"slices names {each.by!r}, which is no field; {known}"
        elif each.at and spec.type not in _NUMBERS:
            at: Place = ("report", "slices", i, "at")
            yield at, f"{each.by!r} is a {spec.type}; only a number is parted at numbers"
        elif not each.at and spec.type not in _WHOLE:
            yield place, f"{each.by!r} is a {spec.type}; say with 'at' where it is parted"
