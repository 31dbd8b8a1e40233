"""What is promised of every ledger, asked of its tables and its history together.

Each promise is one question whose rows are breaches, so that a million cases never leave the
database; only evidence and outcomes are hashed and compared outside, in DuckDB, in bulk.

What this cannot show: what a channel showed a person, and anything of the tables that both their
rows and their entries agree on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Text, cast, select, text

from decisions import columnar
from decisions.ledger import chain
from decisions.ledger.bulk import as_table
from decisions.ledger.records import Answer, Case, Entry, Outcome
from decisions.ledger.transaction import SYSTEM

LATE = timedelta(hours=1)
"""A message due for so long means that nobody runs the sweeps, or that they fail."""

SHOWN = 5
"""Breaches of a promise that are named; the rest are counted."""

_CHUNK = 50_000

_MOVES = {
    "acknowledge": "acknowledged",
    "override": "overridden",
    "snooze": "snoozed",
    "reassign": "reassigned",
    "done": "completed",
}
_ACT = "CASE a.kind " + " ".join(f"WHEN '{k}' THEN '{act}'" for k, act in _MOVES.items()) + " END"
_ACTS = ", ".join(f"'{act}'" for act in _MOVES.values())


MayAnswer = Callable[[int, str, datetime], set[str]]
"""Gives the people entitled by a version's id, who held the case, and the instant."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, and whether it was kept.

    Attributes:
        name: What is promised.
        breaches: How many breaches were found.
        examples: The first of them, in words.
    """

    name: str
    breaches: int = 0
    examples: tuple[str, ...] = ()


# Each question returns one text column: a breach in words.
_QUESTIONS = {
    "Whoever is asked is told: every case given to somebody has a message": """
        SELECT c.key || ' was given to ' || c.assignee || ' without a message' FROM cases c
        WHERE c.arm = 'treatment' AND c.assignee IS NOT NULL
            AND EXISTS (SELECT 1 FROM assignments s WHERE s.case_id = c.id)
            AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.case_id = c.id)
    """,
    "No message is lost: each is settled, or will be looked at again": """
        SELECT n.key || ' is ' || n.state || ' and nobody will look at it' FROM notifications n
        WHERE n.state IN ('pending', 'sending', 'unknown') AND n.next_at IS NULL
    """,
    "No message waits while somebody could send it": """
        SELECT n.key || ' has been due since ' || CAST(n.next_at AS VARCHAR) FROM notifications n
        WHERE n.next_at < :late
            AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.name = n.route
                AND (t.free_at > :late OR t.paused_at IS NOT NULL))
    """,
    "No open case is forgotten: each has an instant at which it is looked at": """
        SELECT c.key || ' waits, and nothing is due' FROM cases c
        WHERE c.state = 'open' AND c.due_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM notifications n
                WHERE n.case_id = c.id AND n.next_at IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM entries e
                WHERE e.object = c.key AND e.act = 'policy ended')
    """,
    "Nobody is told twice: no two messages are one and the same to a channel": """
        SELECT n.channel || ' took ' || n.reference || ' for ' || CAST(count(*) AS VARCHAR)
            || ' messages'
        FROM notifications n WHERE n.state = 'sent' GROUP BY n.channel, n.reference
        HAVING count(*) > 1
    """,
    "Escalation is never early: nobody hears before the one before them was told": """
        SELECT key || ' was queued before the message before it was sent' FROM (
            SELECT n.key, n.kind, n.created_at,
                lag(n.sent_at) OVER (PARTITION BY n.case_id ORDER BY n.id) AS before
            FROM notifications n
            WHERE n.case_id IN (SELECT case_id FROM notifications WHERE kind = 'escalated')
        ) AS steps
        WHERE kind = 'escalated' AND created_at < before
    """,
    "An answer shown is an answer stored: answers and history tell of the same acts": f"""
        SELECT CASE WHEN sum(n) > 0 THEN 'the history lacks: ' ELSE 'the answers lack: ' END
            || actor || ' ' || act || ' ' || object
        FROM (
            SELECT c.key AS object, {_ACT} AS act, a.by AS actor, 1 AS n
            FROM answers a JOIN cases c ON c.id = a.case_id WHERE a.accepted
            UNION ALL
            SELECT e.object, e.act, e.actor, -1 FROM entries e
            WHERE e.act IN ({_ACTS}) AND e.actor <> '{SYSTEM}'
        ) AS told
        GROUP BY object, act, actor HAVING sum(n) <> 0
    """,
    "A case that a person closed was closed by exactly one answer": """
        SELECT c.key || ' is ' || c.state || ' by ' || CAST(count(a.id) AS VARCHAR) || ' answers'
        FROM cases c LEFT JOIN answers a ON a.case_id = c.id AND a.accepted
            AND a.kind IN ('override', 'done')
        WHERE c.state IN ('completed', 'overridden') GROUP BY c.key, c.state
        HAVING count(a.id) <> 1
    """,
    "Held-out subjects are left alone: nobody is told of them, nobody answers": """
        SELECT c.key || ' is held out, and ' || n.recipient || ' was told' FROM cases c
        JOIN notifications n ON n.case_id = c.id WHERE c.arm = 'control'
        UNION ALL
        SELECT c.key || ' is held out, and ' || a.by || ' answered' FROM cases c
        JOIN answers a ON a.case_id = c.id WHERE c.arm = 'control' AND a.accepted
    """,
    "A subject keeps its arm: no case is of another than the one drawn": """
        SELECT c.key || ' is in ' || c.arm || ', drawn was ' || r.arm FROM cases c
        JOIN allocations r
            ON r.decision = c.decision AND r.subject = c.subject AND r.period = c.period
        WHERE r.arm <> c.arm
    """,
    "The history tells of every case, once": """
        SELECT CASE WHEN sum(n) > 0 THEN 'the history lacks ' ELSE 'the cases lack ' END || object
        FROM (
            SELECT c.key AS object, 1 AS n FROM cases c
            UNION ALL
            SELECT e.object, -1 FROM entries e WHERE e.act IN ('opened', 'held out')
        ) AS told
        GROUP BY object HAVING sum(n) <> 0
    """,
}


def audited(
    connection: Connection,
    *,
    now: datetime,
    may_answer: MayAnswer,
    progress: Callable[[str], None] = lambda _name: None,
) -> Iterator[Promise]:
    """Yield every promise with what was found, one after the other.

    Args:
        connection: Sees one consistent state.
        now: The present instant (timezone-aware).
        may_answer: Who may answer a case besides those who were told of it.
        progress: Is told of each promise before it is looked at.
    """
    progress("the chain of entries")
    found = chain.verification(connection)
    yield _promise("The history is as it was written", [found.breach] if found.breach else [])
    bound = {"late": now - LATE}
    for name, question in _QUESTIONS.items():
        progress(name)
        asked = text(question).bindparams(**{k: v for k, v in bound.items() if f":{k}" in question})
        yield _promise(name, connection.execute(asked).scalars().all())
    for name, look in _LOOKS.items():
        progress(name)
        yield _promise(name, look(connection))
    name = "Only entitled people answer"
    progress(name)
    yield _promise(name, _strangers(connection, may_answer))


def _promise(name: str, breaches: Sequence[str]) -> Promise:
    return Promise(name, len(breaches), tuple(breaches[:SHOWN]))


def _strangers(connection: Connection, may_answer: MayAnswer) -> list[str]:
    """Return accepted answers by people who held the case never, were not told, and no owner."""
    case, answer = Case.__table__, Answer.__table__
    rows = connection.execute(
        text("""
            SELECT c.key, a.by, a.kind, c.version_id, a.in_place_of, a.at
            FROM answers a JOIN cases c ON c.id = a.case_id
            WHERE a.accepted AND a.in_place_of IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM assignments s
                    WHERE s.case_id = c.id AND s.assignee = a.by AND s.at <= a.at)
                AND NOT EXISTS (SELECT 1 FROM notifications n
                    WHERE n.case_id = c.id AND n.recipient = a.by AND n.sent_at <= a.at)
        """).columns(
            case.c.key,
            answer.c.by,
            answer.c.kind,
            case.c.version_id,
            answer.c.in_place_of,
            answer.c.at,
        )
    )
    return [
        f"{by} answered {key} ({kind}) without being entitled to"
        for key, by, kind, *asked in rows
        if by not in may_answer(*asked)
    ]


def _evidence(connection: Connection) -> list[str]:
    case, entry = Case.__table__, Entry.__table__
    query = select(case.c.key, case.c.subject, cast(case.c.facts, Text), entry.c.body).join(
        entry, (entry.c.object == case.c.key) & entry.c.act.in_(["opened", "held out"])
    )
    return _compared(
        connection,
        query,
        ("key", "subject", "facts", "body"),
        "SELECT key || ': its evidence is not what was decided on' FROM rows "
        "WHERE sha256(key || '|' || subject || '|' || facts) <> body ->> 'evidence'",
    )


def _outcomes(connection: Connection) -> list[str]:
    case, entry, outcome = Case.__table__, Entry.__table__, Outcome.__table__
    told = select(entry.c.object, entry.c.body).where(entry.c.act == "outcome").order_by(entry.c.id)
    kept = (
        select(case.c.key, outcome.c.state, cast(outcome.c.value, Text))
        .join(case, case.c.id == outcome.c.case_id)
        .order_by(outcome.c.id)
    )
    with columnar.session() as engine:
        engine.register("told", _all_rows(connection, told, ("key", "body")))
        engine.register("kept", _all_rows(connection, kept, ("key", "state", "value")))
        rows = engine.sql(
            "WITH tellings AS ("
            " SELECT key, state, CAST(value AS DOUBLE) AS value, 1 AS n FROM kept UNION ALL"
            " SELECT key, body ->> 'state', CAST(body ->> 'value' AS DOUBLE), -1 FROM told) "
            "SELECT key || ': outcome ' || state || coalesce(' ' || value, '') "
            "|| CASE WHEN sum(n) > 0 THEN ' is not in the history' ELSE ' is in the history alone' "
            "END FROM tellings GROUP BY key, state, value HAVING sum(n) <> 0 ORDER BY 1"
        ).fetchall()
    return [breach for (breach,) in rows]


_LOOKS: dict[str, Callable[[Connection], list[str]]] = {
    "The evidence of a case is what was decided on": _evidence,
    "Outcomes are what was recorded when they were looked up": _outcomes,
}


def _all_rows(connection: Connection, query: Any, names: Sequence[str]) -> pa.Table:
    types = {name: pa.string() for name in names}
    found = connection.execution_options(yield_per=_CHUNK).execute(query)
    chunks = [as_table(chunk, **types) for chunk in found.partitions(_CHUNK)]
    return pa.concat_tables([as_table([], **types), *chunks])


def _compared(connection: Connection, query: Any, names: Sequence[str], question: str) -> list[str]:
    breaches: list[str] = []
    types = {name: pa.string() for name in names}
    found = connection.execution_options(yield_per=_CHUNK).execute(query)
    with columnar.session() as engine:
        for chunk in found.partitions(_CHUNK):
            engine.register("rows", as_table(chunk, **types))
            breaches += [breach for (breach,) in engine.sql(question).fetchall()]
    return breaches
