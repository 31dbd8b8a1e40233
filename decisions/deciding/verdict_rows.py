"""The rows of a verdict archive as SQL of DuckDB: what was recorded, and what was said of the rest.

Words that repeat in nearly every row are written as enumerations, at a seventh of what texts cost;
whoever reads the file finds texts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from decisions import columnar
from decisions.deciding import boundary
from decisions.deciding.evaluation import (
    MODEL_VERSION,
    RULE,
    SCORED_AT,
    SUBJECT,
    WITHHELD,
    judged_sql,
    literal_version,
    relations_of,
    subjects_query,
)
from decisions.definition import Definition, FieldSpec
from decisions.ports import Embedded
from decisions.rules.columns import quoted
from decisions.rules.expression import parse
from decisions.rules.language import COLUMN_TYPES

WITHHELD_BY_GATE = "gate"
"""The reason of a subject whose whole batch was withheld; what was found is in the run's row."""
COLUMNS = (
    *("subject", "verdict", "reason", "rule", "action", "arm", "assignee"),
    *("score", "scored_at", "model_version", "inputs"),
)
"""What a file holds of each subject."""
_VERDICTS = ("not_met", "withheld", "opened", "held_out", "suppressed")
_ARMS = ("treatment", "control")
_VERDICT = """CASE WHEN v.reason IS NOT NULL THEN 'suppressed'
    WHEN v.arm = 'control' THEN 'held_out' ELSE 'opened' END"""


def inputs_of(definition: Definition) -> dict[str, FieldSpec]:
    """Return the fields beside the score that a verdict can turn on.

    What rules, the operating boundary, limits and routing read, and what a success is worth; what
    is only shown to people stays out, so that an archive costs what it must.
    """
    columns = definition.columns
    texts = [rule.when for rule in definition.rules]
    texts += [each.when for each in definition.withhold]
    texts += [definition.limits.prefer] if definition.limits.prefer else []
    named = {node.name for text in texts for node in parse(text, columns).find_all(exp.Column)}
    named |= {definition.limits.cost.of} if definition.limits.cost else set()
    named |= {action.assign for action in definition.actions.values() if action.assign}
    named |= (
        {definition.outcome.value} if definition.outcome and definition.outcome.value else set()
    )
    named -= {definition.signal.score}
    return {name: spec for name, spec in definition.fields.items() if name in named}


def selected_rows(definition: Definition) -> str:
    """Return the query of the subjects that a rule selected, over a table ``verdicts``."""
    words = _words(definition)
    named = ", ".join(f"CAST(v.{name} AS {words[name]}) AS {name}" for name in ("rule", "action"))
    inputs = _inputs(definition, "json_extract_string(v.facts, '$.{0}')")
    return (
        f"SELECT v.subject, CAST({_VERDICT} AS {words['verdict']}) AS verdict, v.reason, {named}, "
        f"CAST(v.arm AS {words['arm']}) AS arm, v.assignee, v.score, v.scored_at, "
        f"CAST(v.model_version AS {words['model_version']}) AS model_version, {inputs} AS inputs "
        "FROM verdicts AS v"
    )


def other_rows(definition: Definition, warehouse: Embedded, *, as_of: datetime) -> str:
    """Return the query of the subjects that no rule selected.

    Rules are asked again: to judge a row costs less than to look for it among those selected.

    Args:
        definition: The decision.
        warehouse: Where the batch lies, beside a table ``boundary``.
        as_of: What ``today()`` is (timezone-aware).
    """
    dialect, words = warehouse.dialect, _words(definition)
    subjects = subjects_query(definition, relations_of(definition, warehouse), dialect)
    judged = judged_sql(definition, f"({subjects})", dialect=dialect, as_of=as_of)
    verdict, reason, joined = "'not_met'", "CAST(NULL AS VARCHAR)", ""
    rule, withheld = (f"s.{quoted(name, dialect)}" for name in (RULE, WITHHELD))
    if boundary.can_withhold(definition):
        verdict, reason = "CASE WHEN b.code IS NULL THEN 'not_met' ELSE 'withheld' END", "b.reason"
        joined = f" LEFT JOIN boundary AS b ON b.code = {withheld}"
    return (
        f"SELECT s.{quoted(SUBJECT, dialect)}, CAST({verdict} AS {words['verdict']}), {reason}, "
        f"{_nothing(words)}, {_scored(definition, words)} FROM ({judged}) AS s{joined} "
        f"WHERE {rule} IS NULL OR {withheld} IS NOT NULL"
    )


def withheld_rows(definition: Definition, warehouse: Embedded) -> str:
    """Return the query of all subjects of a batch that the gate withheld."""
    dialect, words = warehouse.dialect, _words(definition)
    subjects = subjects_query(definition, relations_of(definition, warehouse), dialect)
    return (
        f"SELECT s.{quoted(SUBJECT, dialect)} AS subject, "
        f"CAST('withheld' AS {words['verdict']}) AS verdict, '{WITHHELD_BY_GATE}' AS reason, "
        f"{_nothing(words)}, {_scored(definition, words)} FROM ({subjects}) AS s"
    )


def reasons(definition: Definition) -> pa.Table:
    """Return the table ``boundary``: the reason of every ``code`` of what keeps a row back."""
    rules = len(definition.rules) if definition.match == "unique" else 0
    codes = range(len(definition.withhold) + rules**2)
    texts = [boundary.reason(definition, code)[0] for code in codes]
    return columnar.table(zip(codes, texts, strict=True), code="BIGINT", reason="VARCHAR")


def _words(definition: Definition) -> Mapping[str, str]:
    """Return the type of each column whose words are known before the batch is read."""
    version = literal_version(definition.signal.model.version)
    return {
        "verdict": _enumeration(_VERDICTS),
        "rule": _enumeration([*(rule.name for rule in definition.rules), "otherwise"]),
        "action": _enumeration(definition.actions),
        "arm": _enumeration(_ARMS),
        "model_version": "VARCHAR" if version is None else _enumeration([version]),
    }


def _enumeration(words: Iterable[str]) -> str:
    listed = (exp.Literal.string(word).sql("duckdb") for word in dict.fromkeys(words))
    return f"ENUM({', '.join(listed)})"


def _nothing(words: Mapping[str, str]) -> str:
    types = {name: words[name] for name in ("rule", "action", "arm")} | {"assignee": "VARCHAR"}
    return ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in types.items())


def _scored(definition: Definition, words: Mapping[str, str]) -> str:
    version = literal_version(definition.signal.model.version)
    told = f"s.{quoted(MODEL_VERSION, 'duckdb')}"
    if version is not None:
        told = f"CAST({exp.Literal.string(version).sql('duckdb')} AS {words['model_version']})"
    return (
        f"CAST(s.{quoted(definition.signal.score, 'duckdb')} AS DOUBLE) AS score, "
        f"s.{quoted(SCORED_AT, 'duckdb')} AS scored_at, {told} AS model_version, "
        f"{_inputs(definition, 's.{0}')} AS inputs"
    )


def _inputs(definition: Definition, place: str) -> str:
    """Return a STRUCT of the inputs; NULL where there are none, since a STRUCT is never empty."""
    packed = [
        f"{quoted(name, 'duckdb')} := "
        f"CAST({place.format(quoted(name, 'duckdb'))} AS {COLUMN_TYPES[spec.type]})"
        for name, spec in inputs_of(definition).items()
    ]
    return f"struct_pack({', '.join(packed)})" if packed else "CAST(NULL AS BOOLEAN)"
