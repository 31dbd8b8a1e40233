"""Were the models right? One batch a month, once its outcomes are final, judged without action."""

import pyarrow as pa
from pydantic import BaseModel

from decisions import columnar
from decisions.definition import Definition
from decisions.effectiveness.accuracy import accuracy
from decisions.effectiveness.judgement import Accuracy
from decisions.errors import ConnectorError, InsufficientData
from decisions.ledger.accuracies import Awaiting
from decisions.outcomes import outcomes
from flows.wiring import Layer

_COHORT = """
WITH touched AS (
    SELECT subject, bool_or(arm = 'treatment') AS treated, bool_or(arm = 'control') AS held_out
    FROM cases GROUP BY subject
)
SELECT row_number() OVER () AS case_id, a.subject, CAST($as_of AS TIMESTAMPTZ) AS opened_at,
    a.score, coalesce(t.held_out, false) AS held_out
FROM read_parquet($file) a LEFT JOIN touched t USING (subject)
WHERE a.score IS NOT NULL AND NOT coalesce(t.treated, false)
"""
_KNOWN = """
SELECT c.score, CASE WHEN $foretold = 'higher' THEN o.value ELSE 1 - o.value END AS event,
    CASE WHEN c.held_out THEN 1 / $share ELSE 1 END AS weight, c.held_out AS selected
FROM cohort c JOIN seen o USING (case_id) WHERE o.value IN (0, 1)
"""


class Judged(BaseModel):
    """What one round of judging found.

    Attributes:
        batches: Batches whose scores were judged.
        faults: Probes that did not answer, and why; the others went on.
    """

    batches: int = 0
    faults: list[str] = []


def judge_models(layer: Layer) -> Judged:
    """Judge the first archived batch of each month whose outcomes are final by now.

    One query to the warehouse for each; whoever was acted on within the window is left out.
    """
    found = Judged()
    for waiting in layer.ledger.accuracies.awaiting(layer.clock()):
        missing, judged = None, None
        try:
            judged = _judged(layer, waiting)
        except InsufficientData as shortage:
            missing = str(shortage)
        except ConnectorError as error:
            found.faults.append(f"{waiting.definition.decision}: {error}")
            continue
        layer.ledger.accuracies.record(waiting.run, judged, missing=missing)
        found.batches += 1
    return found


def _judged(layer: Layer, waiting: Awaiting) -> Accuracy:
    definition, run, outcome = waiting.definition, waiting.run, waiting.definition.outcome
    file = layer.archive.place(definition.decision, run.id)
    if outcome is None or not file.is_file():
        raise InsufficientData(f"the file with the scores of run {run.id} is not here any more")
    cohort = _cohort(str(file), waiting)
    if not cohort.num_rows:
        raise InsufficientData(f"everybody in run {run.id} was acted on")
    warehouse = layer.warehouses.get(outcome.connection)
    if warehouse is None:
        raise InsufficientData(f"{outcome.connection} is connected no more")
    seen = outcomes(outcome, warehouse, cohort.select(["case_id", "subject", "opened_at"]))
    share = definition.holdout.share.of_one if definition.holdout else 1.0
    with columnar.session() as engine:
        engine.register("cohort", cohort)
        engine.register("seen", seen)
        known = engine.sql(
            _KNOWN, params={"foretold": outcome.foretold, "share": share}
        ).to_arrow_table()
    return accuracy(known, is_rate=_is_rate(definition))


def _cohort(file: str, waiting: Awaiting) -> pa.Table:
    with columnar.session() as engine:
        engine.register("cases", waiting.cases)
        parameters = {"file": file, "as_of": waiting.run.as_of}
        cohort: pa.Table = engine.sql(_COHORT, params=parameters).to_arrow_table()
    return cohort


def _is_rate(definition: Definition) -> bool:
    field = definition.signal.fields[definition.signal.score]
    return field.min == 0 and field.max == 1
