"""One record decided in process: without the ledger, many times in one process."""

from datetime import timedelta
from statistics import median
from time import perf_counter

from benchmarks.workload import DECISION, NOW

ASKED = 2_000
Answer = tuple[int, float]


def in_process(folder: str) -> Answer:
    """Ask the rules of one record after another; the middle one's seconds."""
    from pathlib import Path

    from decisions.deciding.record import decide_record
    from decisions.definition import Definition
    from decisions.workspace.yaml_text import read_yaml

    written = read_yaml(Path(folder) / f"{DECISION}.yaml", DECISION)
    definition = Definition.model_validate(written.content)
    found, seconds = 0, []
    for number in range(ASKED):
        record = {
            "account_id": str(number),
            "risk": number / ASKED,
            "arr": 60_000.0,
            "tenure": number % 120,
            "region": "north",
            "account_manager": "person.1",
        }
        started = perf_counter()
        verdict = decide_record(definition, record, NOW + timedelta(seconds=number))
        seconds.append(perf_counter() - started)
        found += verdict.rule is not None
    return found, median(seconds)
