"""One batch in, the subjects a rule selects out: one query, run where the scores live.

Only what matches leaves the warehouse. User text is never spliced into SQL: expressions are parsed
and generated anew, names are quoted.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from decisions import columnar
from decisions.definition import NOTHING, Definition, Relation
from decisions.ports import Warehouse
from decisions.rules import expression
from decisions.rules.columns import as_text, cast, quoted
from decisions.rules.necessary import necessary

RULE = "$rule"
RIVAL = "$rival"
WITHHELD = "$withheld"
PRIORITY = "$priority"
MODEL_VERSION = "$model_version"
SUBJECT = "$subject"
SCORED_AT = "$scored_at"
KEY = "$key"
"""Columns of our own; a declared field's name cannot hold a ``$``."""


def relation_sql(relation: Relation, warehouse: Warehouse) -> str:
    """Return what stands after FROM for a source, context or probe of the definition."""
    return warehouse.relation(table=relation.table, query=relation.query, path=relation.path)


def literal_version(version: str) -> str | None:
    """Return the model version if it is written as a quoted literal, None if it names a column."""
    quoted_text = len(version) > 2 and version[0] == version[-1] == "'"
    return version[1:-1] if quoted_text else None


def selection_query(
    definition: Definition, relations: Mapping[int, str], *, dialect: str, as_of: datetime
) -> str:
    """Return the query whose rows are the subjects that a rule selects, with all their fields.

    Args:
        definition: The decision.
        relations: What stands after FROM: the signal under 0, each context under 1, 2, …
        dialect: sqlglot's name of the warehouse's dialect.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).
    """
    source = f"({subjects_query(definition, relations, dialect, selected_on=as_of)})"
    return selection_sql(definition, source, dialect=dialect, as_of=as_of)


def selection_sql(definition: Definition, source: str, *, dialect: str, as_of: datetime) -> str:
    """Return a query of the subjects that a rule selects, with all columns of a source.

    Args:
        definition: The decision.
        source: As for ``judged_sql``.
        dialect: sqlglot's name of the dialect.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).
    """
    generated = _generator(definition, dialect, as_of)
    prefer = definition.limits.prefer
    priority = generated(prefer) if prefer else quoted(definition.signal.score, dialect)
    rule, withheld = quoted(RULE, dialect), quoted(WITHHELD, dialect)
    return (
        f"SELECT *, {cast(priority, 'float', dialect)} AS {quoted(PRIORITY, dialect)} "
        f"FROM ({judged_sql(definition, source, dialect=dialect, as_of=as_of)}) AS judged "
        f"WHERE {rule} IS NOT NULL AND {withheld} IS NULL ORDER BY {quoted(SUBJECT, dialect)}"
    )


def withheld_query(
    definition: Definition, relations: Mapping[int, str], *, dialect: str, as_of: datetime
) -> str:
    """Return the query that counts whom the operating boundary keeps from being decided on.

    One row a code, as ``boundary.reason`` reads it: ``code``, ``count``, ``first`` and ``last``
    subject. Aggregates only: half of a batch may be withheld, and none of it leaves the warehouse.

    Args:
        definition: The decision.
        relations: As for ``selection_query``.
        dialect: sqlglot's name of the warehouse's dialect.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).
    """
    subjects = subjects_query(definition, relations, dialect, selected_on=as_of)
    withheld, subject = quoted(WITHHELD, dialect), quoted(SUBJECT, dialect)
    count, first, last = (quoted(name, dialect) for name in ("count", "first", "last"))
    return (
        f"SELECT {withheld} AS code, count(*) AS {count}, "
        f"min({subject}) AS {first}, max({subject}) AS {last} "
        f"FROM ({judged_sql(definition, f'({subjects})', dialect=dialect, as_of=as_of)}) AS judged "
        f"WHERE {withheld} IS NOT NULL GROUP BY {withheld} ORDER BY {withheld}"
    )


def judged_sql(definition: Definition, source: str, *, dialect: str, as_of: datetime) -> str:
    """Return a query over a source that adds to each row what the definition says of it.

    That is ``$rule``, the position of the first rule that holds (that of ``otherwise`` behind the
    last), or NULL; and ``$withheld``, the code of what keeps the row from being decided on, or
    NULL. Codes below the number of ``withhold`` entries are their positions; from there on two
    rules hold although the match is unique, and the code holds both positions.

    Args:
        definition: The decision.
        source: SQL that stands after FROM and has a column for every field and the subject.
        dialect: sqlglot's name of the dialect.
        as_of: What ``today()`` is (timezone-aware; its date in UTC).
    """
    generated = _generator(definition, dialect, as_of)
    whens = [
        f"WHEN {generated(rule.when)} THEN {place}" for place, rule in enumerate(definition.rules)
    ]
    otherwise = "" if definition.otherwise == NOTHING else f" ELSE {len(whens)}"
    rule, rival = quoted(RULE, dialect), quoted(RIVAL, dialect)
    columns = [f"CASE {' '.join(whens)}{otherwise} END AS {rule}"]
    held = [
        f"WHEN {generated(each.when)} THEN {place}"
        for place, each in enumerate(definition.withhold)
    ]
    if definition.match == "unique":
        # The first and the last rule that holds differ exactly where more than one does.
        columns.append(f"CASE {' '.join(reversed(whens))} END AS {rival}")
        pair = f"{len(held)} + {rule} * {len(whens)} + {rival}"
        held.append(f"WHEN {rival} <> {rule} THEN {pair}")
    withheld = f"CASE {' '.join(held)} END" if held else "CAST(NULL AS INTEGER)"
    return (
        f"SELECT *, {withheld} AS {quoted(WITHHELD, dialect)} "
        f"FROM (SELECT *, {', '.join(columns)} FROM {source} AS subjects) AS ruled"
    )


def _generator(definition: Definition, dialect: str, as_of: datetime) -> Callable[[str], str]:
    columns, day = definition.columns, as_of.astimezone(UTC).date()
    return lambda text: expression.sql(expression.parse(text, columns), dialect=dialect, as_of=day)


def subjects_query(
    definition: Definition,
    relations: Mapping[int, str],
    dialect: str,
    *,
    selected_on: datetime | None = None,
) -> str:
    """Return the query of every subject with all its fields, before any rule is asked.

    Args:
        definition: The decision.
        relations: What stands after FROM: the signal under 0, each context under 1, 2, …
        dialect: sqlglot's name of the warehouse's dialect.
        selected_on: Leave out, before contexts are joined, those for whom no condition can hold
            whatever the contexts say; the instant is the run's ``as_of``.
    """
    signals = f"SELECT {_named(_signal_columns(definition, dialect), dialect)} FROM {relations[0]}"
    if not definition.context:
        return f"{signals} AS s"
    wanted = _worth_joining(definition, dialect, selected_on) if selected_on else ""
    joined = [f"FROM (SELECT * FROM ({signals} AS s) AS r{wanted}) AS s"]
    columns = ["s.*"]
    for place, context in enumerate(definition.context, start=1):
        fields = {name: _read(name, spec.type, dialect) for name, spec in context.fields.items()}
        facts = {KEY: as_text(quoted(context.on, dialect), dialect)} | fields
        joined.append(
            f"LEFT JOIN (SELECT {_named(facts, dialect)} FROM {relations[place]} AS r) AS c{place} "
            f"ON c{place}.{quoted(KEY, dialect)} = s.{quoted(SUBJECT, dialect)}"
        )
        columns += [f"c{place}.{quoted(name, dialect)}" for name in fields]
    return f"SELECT {', '.join(columns)} {' '.join(joined)}"


def _signal_columns(definition: Definition, dialect: str) -> dict[str, str]:
    signal = definition.signal
    subject = as_text(quoted(signal.subject, dialect), dialect)
    scored_at = _read(signal.scored_at, "timestamp", dialect)
    version = literal_version(signal.model.version)
    if version is not None:
        model_version = exp.Literal.string(version).sql(dialect)
    else:
        model_version = as_text(quoted(signal.model.version, dialect), dialect)
    own = {SUBJECT: subject, SCORED_AT: scored_at, MODEL_VERSION: model_version}
    own |= {signal.subject: subject, signal.scored_at: scored_at}
    declared = {name: _read(name, spec.type, dialect) for name, spec in signal.fields.items()}
    return {name: sql for name, sql in own.items() if name not in definition.fields} | declared


def _worth_joining(definition: Definition, dialect: str, as_of: datetime) -> str:
    """Return a WHERE that no signal fails for which some condition could hold, or nothing."""
    if definition.otherwise != NOTHING:
        return ""
    texts = [rule.when for rule in definition.rules]
    texts += [each.when for each in definition.withhold]
    conditions = [expression.parse(text, definition.columns) for text in texts]
    here = definition.signal.fields.keys() | {definition.signal.subject}
    condition = necessary(conditions, here)
    if condition is None:
        return ""
    day = as_of.astimezone(UTC).date()
    return f" WHERE {expression.sql(condition, dialect=dialect, as_of=day)}"


def _named(columns: Mapping[str, str], dialect: str) -> str:
    return ", ".join(f"{sql} AS {quoted(name, dialect)}" for name, sql in columns.items())


def _read(column: str, kind: str, dialect: str) -> str:
    return cast(quoted(column, dialect), kind, dialect, leniently=True)


def selected(
    definition: Definition, warehouses: Mapping[str, Warehouse], *, as_of: datetime
) -> pa.Table:
    """Return the subjects that a rule selects, ready to be recorded.

    Args:
        definition: The decision.
        warehouses: By connection name.
        as_of: What ``today()`` is (timezone-aware).

    Returns:
        One row a subject, sorted by subject: ``subject``, ``score``, ``scored_at``,
        ``model_version``, ``rule``, ``action``, ``assign`` (the value of the assigning field, or
        null), ``facts`` (JSON text), ``priority``, ``value``.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    warehouse = warehouses[definition.signal.connection]
    query = selection_query(
        definition, relations_of(definition, warehouse), dialect=warehouse.dialect, as_of=as_of
    )
    return as_matches(definition, warehouse.select(query))


def relations_of(definition: Definition, warehouse: Warehouse) -> dict[int, str]:
    """Return what stands after FROM: the signal under 0, the contexts under 1 and so on."""
    sources = (definition.signal, *definition.context)
    return {place: relation_sql(source, warehouse) for place, source in enumerate(sources)}


def as_matches(definition: Definition, rows: pa.Table) -> pa.Table:
    """Return the rows of a selection as ``selected`` gives them."""
    names = [quoted(name, "duckdb") for name in definition.nameable]
    facts = ", ".join(f"{name} := {name}" for name in names)
    rules = [(rule.name, rule.do) for rule in definition.rules]
    if definition.otherwise != NOTHING:
        rules.append(("otherwise", definition.otherwise))
    value = definition.outcome.value if definition.outcome else None
    query = f"""
        SELECT "{SUBJECT}" AS subject,
            CAST({quoted(definition.signal.score, "duckdb")} AS DOUBLE) AS score,
            "{SCORED_AT}" AS scored_at, "{MODEL_VERSION}" AS model_version,
            $rules[CAST("{RULE}" AS INTEGER) + 1] AS rule,
            $actions[CAST("{RULE}" AS INTEGER) + 1] AS action,
            {_assign_sql(definition)} AS assign,
            CAST(to_json(struct_pack({facts})) AS VARCHAR) AS facts,
            "{PRIORITY}" AS priority,
            {f"CAST({quoted(value, 'duckdb')} AS DOUBLE)" if value else "NULL::DOUBLE"} AS value
        FROM matched ORDER BY subject
    """
    with columnar.session() as engine:
        engine.register("matched", rows)
        parameters = {"rules": [name for name, _ in rules], "actions": [do for _, do in rules]}
        matches: pa.Table = engine.sql(query, params=parameters).to_arrow_table()
    return matches


def _assign_sql(definition: Definition) -> str:
    branches = [
        f"WHEN {place} THEN {quoted(target, 'duckdb')}"
        for place, target in enumerate(_targets(definition))
        if target in definition.fields
    ]
    return f'CASE "{RULE}" {" ".join(branches)} END' if branches else "NULL::VARCHAR"


def _targets(definition: Definition) -> list[str | None]:
    actions = [rule.do for rule in definition.rules]
    if definition.otherwise != NOTHING:
        actions.append(definition.otherwise)
    return [definition.actions[name].assign for name in actions]
