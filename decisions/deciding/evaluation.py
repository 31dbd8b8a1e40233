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
from decisions.rules.language import COLUMN_TYPES

RULE = "$rule"
RIVAL = "$rival"
WITHHELD = "$withheld"
PRIORITY = "$priority"
MODEL_VERSION = "$model_version"
SUBJECT = "$subject"
SCORED_AT = "$scored_at"
"""Columns of our own; a declared field's name cannot hold a ``$``."""
_KEEPABLE = {
    "float": "isfinite({0})",
    "decimal": "isfinite({0})",
    "string": "NOT contains({0}, chr(0))",
    "date": "{0} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'",
    "timestamp": "{0} >= TIMESTAMPTZ '0001-01-02 00:00:00+00' "
    "AND {0} < TIMESTAMPTZ '9999-12-31 00:00:00+00'",
}
"""What must hold of a value that is read; a day's distance to the ends leaves room for zones."""


def relation_sql(relation: Relation, warehouse: Warehouse) -> str:
    """Return what stands after FROM for a source, context or probe of the definition."""
    return warehouse.relation(table=relation.table, query=relation.query, path=relation.path)


def quoted(name: str, dialect: str) -> str:
    """Return the name as a quoted identifier."""
    return exp.to_identifier(name, quoted=True).sql(dialect)


def cast(column: str, kind: str, dialect: str, *, leniently: bool = False) -> str:
    """Return SQL that reads a column as its declared type; what no ledger can keep becomes NULL.

    That is NaN, infinities, days outside the years 1 to 9999, and text with a NUL character.

    Args:
        column: SQL of the column.
        kind: A type as a field declares it.
        dialect: sqlglot's name of the warehouse's dialect.
        leniently: What cannot be read as the type becomes NULL, too, instead of ending the query.
    """
    wanted = exp.DataType.build(COLUMN_TYPES[kind], dialect="duckdb").sql(dialect)
    value = f"{'TRY_CAST' if leniently else 'CAST'}({column} AS {wanted})"
    keepable = _KEEPABLE.get(kind)
    return f"CASE WHEN {keepable.format(value)} THEN {value} END" if keepable else value


def holds_nul(column: str) -> str:
    """Return SQL of whether a column's text holds a NUL character."""
    return f"contains(CAST({column} AS VARCHAR), chr(0))"


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
    subjects = subjects_query(definition, relations, dialect)
    generated = _generator(definition, dialect, as_of)
    prefer = definition.limits.prefer
    priority = generated(prefer) if prefer else quoted(definition.signal.score, dialect)
    rule, withheld = quoted(RULE, dialect), quoted(WITHHELD, dialect)
    return (
        f"SELECT *, {cast(priority, 'float', dialect)} AS {quoted(PRIORITY, dialect)} "
        f"FROM ({judged_sql(definition, f'({subjects})', dialect=dialect, as_of=as_of)}) AS judged "
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
    subjects = subjects_query(definition, relations, dialect)
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


def subjects_query(definition: Definition, relations: Mapping[int, str], dialect: str) -> str:
    """Return the query of every subject with all its fields, before any rule is asked."""
    signal = definition.signal
    subject = f"CAST(s.{quoted(signal.subject, dialect)} AS VARCHAR)"
    scored_at = _read(f"s.{quoted(signal.scored_at, dialect)}", "timestamp", dialect)
    version = literal_version(signal.model.version)
    if version is not None:
        model_version = exp.Literal.string(version).sql(dialect)
    else:
        model_version = f"CAST(s.{quoted(signal.model.version, dialect)} AS VARCHAR)"
    own = {SUBJECT: subject, SCORED_AT: scored_at, MODEL_VERSION: model_version}
    own |= {signal.subject: subject, signal.scored_at: scored_at}
    columns = [
        f"{sql} AS {quoted(name, dialect)}"
        for name, sql in own.items()
        if name not in definition.fields
    ]
    joins = []
    sources = [("s", signal.fields)]
    for place, context in enumerate(definition.context, start=1):
        key = f"CAST(c{place}.{quoted(context.on, dialect)} AS VARCHAR)"
        joins.append(f" LEFT JOIN {relations[place]} AS c{place} ON {key} = {subject}")
        sources.append((f"c{place}", context.fields))
    columns += [
        f"{_read(f'{alias}.{quoted(name, dialect)}', spec.type, dialect)} "
        f"AS {quoted(name, dialect)}"
        for alias, specs in sources
        for name, spec in specs.items()
    ]
    return f"SELECT {', '.join(columns)} FROM {relations[0]} AS s{''.join(joins)}"


def _read(column: str, kind: str, dialect: str) -> str:
    return cast(column, kind, dialect, leniently=True)


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
    return _as_matches(definition, warehouse.select(query))


def relations_of(definition: Definition, warehouse: Warehouse) -> dict[int, str]:
    """Return what stands after FROM: the signal under 0, the contexts under 1 and so on."""
    sources = (definition.signal, *definition.context)
    return {place: relation_sql(source, warehouse) for place, source in enumerate(sources)}


def _as_matches(definition: Definition, rows: pa.Table) -> pa.Table:
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
