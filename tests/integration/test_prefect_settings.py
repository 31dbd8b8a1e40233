import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefect.settings.models.root import Settings

ROOT = Path(__file__).parents[2]


def unknown(keys: dict[str, Any], model: Any, place: str = "") -> Iterator[str]:
    for key, value in keys.items():
        field = model.model_fields.get(key)
        if field is None:
            yield place + key
        elif isinstance(value, dict):
            yield from unknown(value, field.annotation, f"{place}{key}.")


def test_prefect_knows_every_key_of_our_settings():
    ours = tomllib.loads((ROOT / "prefect.toml").read_text())

    assert list(unknown(ours, Settings)) == []
