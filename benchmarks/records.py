"""One record decided: by the rules alone, and recorded in a ledger; many times in one process."""

from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.workload import DECISION, NOW

ASKED = 2_000
RECORDED = 200
Answer = tuple[int, float]


def in_process(folder: str, _ledger: str) -> Answer:
    """Ask the rules of one record after another; the middle one's seconds."""
    from decisions.deciding.record import decide_record
    from decisions.definition import Definition
    from decisions.workspace.yaml_text import read_yaml

    written = read_yaml(Path(folder) / f"{DECISION}.yaml", DECISION)
    definition = Definition.model_validate(written.content)
    found, seconds = 0, []
    for number in range(ASKED):
        record = _record(number, number / ASKED)
        started = perf_counter()
        verdict = decide_record(definition, record, NOW + timedelta(seconds=number))
        seconds.append(perf_counter() - started)
        found += verdict.rule is not None
    return found, median(seconds)


def recorded(folder: str, ledger: str) -> Answer:
    """Decide one record after another and record each on SQLite; the middle one's seconds."""
    from flows.settings import Settings
    from flows.single import decide_one
    from flows.wiring import assemble

    place = Path(folder)
    settings = Settings(workspace=place, home=place / "home", ledger=f"sqlite:///{ledger}")
    layer = assemble(settings, lambda: NOW)
    found, seconds = 0, []
    for number in range(RECORDED):
        started = perf_counter()
        told = decide_one(layer, DECISION, _record(number, 0.999), key=str(number))
        seconds.append(perf_counter() - started)
        found += told.verdict == "opened"
    layer.ledger.close()
    return found, median(seconds)


def _record(number: int, risk: float) -> dict[str, object]:
    return {
        "account_id": str(number),
        "risk": risk,
        "arr": 60_000.0,
        "tenure": number % 120,
        "region": "north",
        "account_manager": "person.1",
    }
