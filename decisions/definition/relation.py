"""Where rows come from, and what their columns must satisfy."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from decisions.quantities import Nulls
from decisions.spelling import FieldName, Part, Value


class FieldSpec(Part):
    """A column a definition relies on, and what its values must satisfy."""

    type: Literal["float", "integer", "decimal", "string", "boolean", "date", "timestamp"]
    unit: str | None = None
    """A currency code such as USD, or any other unit; shown with the value."""
    label: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """What people call it; else the column's name with spaces."""
    min: float | None = None
    """Smallest allowed value; numbers only."""
    max: float | None = None
    """Largest allowed value; numbers only."""
    allowed: Annotated[tuple[Value, ...], Field(min_length=1, max_length=200)] | None = None
    """The only values it may have, besides NULL."""
    nulls: Nulls | None = None
    """The share of rows in which it may be missing, or 'allowed'; signal fields default to 0%."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(schema))
        short = {"enum": whole["properties"]["type"]["enum"], "description": "The type alone."}
        return {"anyOf": [short, whole], "description": whole.get("description", "")}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.type not in {"float", "integer", "decimal"} and (self.min, self.max) != (
            None,
            None,
        ):
            raise ValueError(f"min and max are for numbers; this is a {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    @model_validator(mode="after")
    def _allowed_stands_alone(self) -> Self:
        if self.allowed is not None and (self.min, self.max) != (None, None):
            raise ValueError("give the allowed values, or min and max; both say the same twice")
        if self.allowed is not None and self.type == "timestamp":
            raise ValueError("a timestamp takes no list of allowed values")
        return self


class Relation(Part):
    """Where rows come from: a connection and one of table, query or path."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("table", "query", "path")]}
    )

    connection: str = Field(alias="from")
    """A warehouse named in ``connections.yaml``."""
    table: str | None = None
    query: str | None = None
    """One SELECT, in the warehouse's own dialect."""
    path: str | None = None
    """A Parquet or CSV file, looked up in the connection's folder; ``*`` matches several."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in ("table", "query", "path") if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(f"give exactly one of table, query or path; found {found}")
        return self


class Context(Relation):
    """Facts about the subject, joined when a case opens and frozen with it."""

    on: FieldName
    """Column that holds the subject; at most one row each."""
    fields: Annotated[dict[FieldName, FieldSpec], Field(min_length=1)]
