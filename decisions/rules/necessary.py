"""What must hold for any of several conditions to hold, as far as some columns can tell."""

from collections.abc import Collection, Sequence

from sqlglot import exp


def necessary(conditions: Sequence[exp.Expr], columns: Collection[str]) -> exp.Expr | None:
    """Return a condition over the columns that is true wherever one of those given is.

    Args:
        conditions: Checked trees.
        columns: What it may name.

    Returns:
        None where nothing can be said.
    """
    parts = [_necessary(each, columns) for each in conditions]
    known = [part for part in parts if part is not None]
    return exp.or_(*known) if known and len(known) == len(parts) else None


def _necessary(node: exp.Expr, columns: Collection[str]) -> exp.Expr | None:
    if isinstance(node, exp.Paren):
        return _necessary(node.this, columns)
    if isinstance(node, exp.And):
        sides = (_necessary(node.this, columns), _necessary(node.expression, columns))
        known = [side for side in sides if side is not None]
        return exp.and_(*known) if known else None
    if isinstance(node, exp.Or):
        return necessary([node.this, node.expression], columns)
    names = {column.name for column in node.find_all(exp.Column)}
    return node.copy() if names <= set(columns) else None
