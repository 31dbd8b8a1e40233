"""Expressions of a definition: text in, a checked tree out, SQL generated from the tree alone.

The way is parse, check, normalise, write. User text never becomes part of a query.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.dialects.duckdb import DuckDB

from decisions.definition import FieldSpec
from decisions.errors import ExpressionError
from decisions.rules.dialects import dialect as spoken
from decisions.rules.grammar import Grammar
from decisions.rules.language import Refusal, described
from decisions.rules.normal import normal
from decisions.rules.written import written

LONGEST = 4_000
MOST_NODES = 500
DEEPEST_NESTING = 30
"""Open parentheses; a tree may be deeper, since a AND b AND c leans to the left."""
DEEPEST_TREE = 100

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_PROBLEMS = {
    "Required keyword": "something is missing here",
    "Invalid expression": "this cannot stand here",
    "Expecting )": "a closing parenthesis is missing",
    "Expected END": "CASE lacks its END",
    "The number of provided arguments": "more arguments than the function takes",
}
"""What the parser says, by how it begins, and what we say."""
_DUCKDB = DuckDB()


def parse(
    text: str,
    fields: Mapping[str, FieldSpec],
    *,
    gives: Literal["boolean", "number"] | None = None,
) -> exp.Expression:
    """Return the tree of an expression in the rule language.

    Args:
        text: One SQL scalar expression in the DuckDB dialect.
        fields: The columns it may use, by exact name.
        gives: The kind its value must have; None where any kind will do.

    Raises:
        ExpressionError: It is not in the language, uses an unknown column or does not fit its
            types; the error points at the place.
    """
    try:
        tree = _tree(text)
        _refuse_size(tree, text)
        kind = Grammar(fields, text).kind(tree)
        normal(tree)
    except RecursionError:
        raise _too_deep(text, 0) from None
    except Refusal as refusal:
        start, end = _span(refusal.node, text)
        raise ExpressionError(
            refusal.reason, text=text, start=start, end=end, advice=refusal.advice
        ) from None
    if gives is not None and kind != gives:
        advice = "compare it, as in churn_probability >= 0.8" if gives == "boolean" else None
        reason = f"this is {described(kind)}; {described(gives)} is wanted here"
        raise ExpressionError(reason, text=text, start=0, end=len(text), advice=advice)
    return tree


def sql(expression: exp.Expr, *, dialect: str, as_of: date) -> str:
    """Return SQL for a checked tree, generated anew in a dialect.

    Args:
        expression: What ``parse`` returned, or a part of it.
        dialect: sqlglot's name of the dialect.
        as_of: What ``today()`` is.
    """
    return written(normal(expression), spoken(dialect), as_of=as_of)


def _tree(text: str) -> exp.Expression:
    if len(text) > LONGEST:
        reason = f"{len(text)} characters; an expression has at most {LONGEST}"
        raise ExpressionError(reason, text=text, start=LONGEST, end=LONGEST + 1)
    for place, character in enumerate(text):
        if not character.isprintable() and character not in "\n\t":
            reason = f"the character {character!r} cannot stand in an expression"
            raise ExpressionError(reason, text=text, start=place, end=place + 1)
    try:
        tokens = _DUCKDB.tokenize(text)
        _refuse_nesting(tokens, text)
        trees = _DUCKDB.parser().parse_into(exp.Condition, tokens, text)
    except sqlglot.TokenError:
        reason = "a quotation mark or a comment is opened and not closed"
        raise ExpressionError(reason, text=text, start=0, end=len(text)) from None
    except sqlglot.ParseError as error:
        raise _not_an_expression(error, text) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Expression):
        reason = (
            f"{len(trees)} expressions; write exactly one" if trees[1:] else "nothing is written"
        )
        raise ExpressionError(reason, text=text, start=0, end=len(text))
    return trees[0]


def _refuse_nesting(tokens: list[Token], text: str) -> None:
    """Refuse what the parser, which calls itself for every level, could not stand."""
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > DEEPEST_NESTING:
            raise _too_deep(text, token.start)


def _refuse_size(tree: exp.Expression, text: str) -> None:
    count, level = 0, [tree]
    for _ in range(DEEPEST_TREE):
        count += len(level)
        if count > MOST_NODES:
            reason = f"more than {MOST_NODES} parts; split the rule"
            raise ExpressionError(reason, text=text, start=0, end=len(text))
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return
    raise _too_deep(text, 0)


def _too_deep(text: str, start: int) -> ExpressionError:
    reason = "nested too deeply to be read, by a person too"
    return ExpressionError(
        reason, text=text, start=start, end=start + 1, advice="write alternatives as IN (…)"
    )


def _not_an_expression(error: sqlglot.ParseError, text: str) -> ExpressionError:
    found = error.errors[0] if error.errors else {}
    problem = str(found.get("description") or "")
    reason = next((text for start, text in _PROBLEMS.items() if problem.startswith(start)), problem)
    line, column = int(found.get("line") or 1), int(found.get("col") or 1)
    end = sum(len(each) for each in text.splitlines(keepends=True)[: line - 1]) + column
    start = max(0, end - len(str(found.get("highlight") or "x")))
    return ExpressionError(f"not an expression: {reason}", text=text, start=start, end=end)


def _span(node: exp.Expr, text: str) -> tuple[int, int]:
    """Return where a node's text begins and ends, with the closing parenthesis of a function."""
    placed = [each.meta for each in node.walk() if "start" in each.meta]
    if not placed:
        return 0, len(text)
    start, end = min(meta["start"] for meta in placed), max(meta["end"] for meta in placed) + 1
    end += 2 if text[end : end + 2] == "()" else 0
    open_count = text.count("(", start, end) - text.count(")", start, end)
    while open_count > 0 and text[end : end + 1] == ")":
        end, open_count = end + 1, open_count - 1
    return start, end
