"""Which rule decides on each row: the same question put to engines that answer it.

Every way reads the same Parquet file, and returns how many rows a rule selects and a sum over
account and rule that no wrong answer would share; and how long it took from rows in memory, where
it needs them there, to the answer.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.workload import BATCH, CASE, DECISION, FIELDS, NOW, RULES

Answer = tuple[tuple[int, int], float]


def duckdb_alone(folder: str) -> Answer:
    """The limit: one query over the file."""
    import duckdb

    with duckdb.connect() as engine:
        started = perf_counter()
        chosen = f"SELECT account_id, {CASE} AS rule FROM '{Path(folder) / BATCH}'"
        query = f"SELECT count(*), sum(account_id * rule) FROM ({chosen}) WHERE rule IS NOT NULL"
        count, total = engine.sql(query).fetchall()[0]
        return (count, int(total)), perf_counter() - started


def ours(folder: str) -> Answer:
    """Followthrough's evaluation: rules checked and typed; matches with all their facts."""
    import duckdb

    from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
    from decisions.deciding.evaluation import selected
    from decisions.definition import Definition
    from decisions.workspace.yaml_text import read_yaml

    written = read_yaml(Path(folder) / f"{DECISION}.yaml", DECISION)
    definition = Definition.model_validate(written.content)
    warehouses = {"warehouse": DuckDBWarehouse("warehouse", DuckDBConfig(), Path(folder))}
    started = perf_counter()
    matches = selected(definition, warehouses, as_of=NOW)
    seconds = perf_counter() - started
    with duckdb.connect() as engine:
        engine.register("matches", matches)
        number = "list_position($rules, rule)"
        query = f"SELECT count(*), sum(CAST(subject AS BIGINT) * {number}) FROM matches"
        count, total = engine.execute(query, {"rules": list(RULES)}).fetchall()[0]
    return (count, int(total)), seconds


def polars_sql(folder: str) -> Answer:
    """Polars, the same SQL, lazily over the file."""
    import polars as pl

    started = perf_counter()
    rows = pl.scan_parquet(Path(folder) / BATCH)
    query = f"SELECT account_id, {CASE} AS rule FROM self"
    chosen = rows.sql(query).filter(pl.col("rule").is_not_null())
    counted = chosen.select(pl.len(), (pl.col("account_id") * pl.col("rule")).sum())
    count, total = counted.collect().row(0)
    return (count, int(total)), perf_counter() - started


def plain_python(folder: str) -> Answer:
    """A function with four conditions, called for every row."""

    def rule(row: dict[str, Any]) -> int:
        if row["risk"] >= 0.995 and row["arr"] > 50000:
            return 1
        if row["risk"] >= 0.99 and row["tenure"] < 12:
            return 2
        if row["risk"] >= 0.985 and row["region"] in {"north", "east"}:
            return 3
        return 4 if row["risk"] >= 0.998 else 0

    return _row_by_row(folder, lambda rows: map(rule, rows))


def rule_engine(folder: str) -> Answer:
    """rule-engine: a rule object a condition, asked in turn."""
    from rule_engine import Rule

    texts = [
        when.replace("AND", "and").replace("IN (", "in [").replace(")", "]")
        for when in RULES.values()
    ]
    rules = list(enumerate(map(Rule, texts), 1))

    def first(row: dict[str, Any]) -> int:
        return next((number for number, rule in rules if rule.matches(row)), 0)

    return _row_by_row(folder, lambda rows: map(first, rows))


def cel(folder: str) -> Answer:
    """CEL in Rust: one compiled program with four branches."""
    from cel import compile as compiled

    program = compiled(
        "risk >= 0.995 && arr > 50000.0 ? 1 : risk >= 0.99 && tenure < 12 ? 2 : "
        "risk >= 0.985 && region in ['north', 'east'] ? 3 : risk >= 0.998 ? 4 : 0"
    )
    return _row_by_row(folder, lambda rows: map(program.execute, rows))


def zen_expression(folder: str) -> Answer:
    """zen-engine's fastest mode: one compiled expression with four branches."""
    import zen

    expression = zen.compile_expression(
        "risk >= 0.995 and arr > 50000 ? 1 : risk >= 0.99 and tenure < 12 ? 2 : "
        "risk >= 0.985 and region in ['north', 'east'] ? 3 : risk >= 0.998 ? 4 : 0"
    )
    return _row_by_row(folder, lambda rows: map(expression.evaluate, rows))


def zen_table(folder: str) -> Answer:
    """zen-engine: a decision table of five rows, in batches of 10,000."""
    import zen

    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"table": _decision_table()}}})

    def rules(rows: list[dict[str, Any]]) -> Iterable[int]:
        for start in range(0, len(rows), 10_000):
            asked = [{"key": "table", "context": row} for row in rows[start : start + 10_000]]
            for each in engine.evaluate_batch(asked):
                yield each["data"]["result"]["rule"]

    return _row_by_row(folder, rules)


def _row_by_row(folder: str, rules: Callable[[list[dict[str, Any]]], Iterable[Any]]) -> Answer:
    import pyarrow.parquet as pq

    rows = pq.read_table(Path(folder) / BATCH, columns=list(FIELDS)).to_pylist()
    started = perf_counter()
    count = total = 0
    for row, rule in zip(rows, rules(rows), strict=True):
        if rule:
            count += 1
            total += row["account_id"] * int(rule)
    return (count, total), perf_counter() - started


def _decision_table() -> dict[str, Any]:
    columns = ("risk", "arr", "tenure", "region")
    conditions = [
        (">= 0.995", "> 50000", "", ""),
        (">= 0.99", "", "< 12", ""),
        (">= 0.985", "", "", "'north', 'east'"),
        (">= 0.998", "", "", ""),
        ("", "", "", ""),
    ]
    rules = [
        {"_id": f"r{place}", "o": str(place % 5), **dict(zip(columns, row, strict=True))}
        for place, row in enumerate(conditions, 1)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": name, "name": name, "field": name} for name in columns],
        "outputs": [{"id": "o", "name": "rule", "field": "rule"}],
        "rules": rules,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode", "content": {}},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": content},
        {"id": "out", "name": "out", "type": "outputNode", "content": {}},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    return {"nodes": nodes, "edges": edges}
