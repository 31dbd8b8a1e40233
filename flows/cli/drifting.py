"""See how far batches have moved from what was usual, and say what is usual from now on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from decisions.errors import NotUnderstood
from flows.cli.here import As, CommandHere
from flows.cli.output import attributes, briefly, table

if TYPE_CHECKING:
    from decisions.ledger.drifts import Drifted

_SHOWN = ("run", "at", "field", "psi", "bound", "is_flagged", "reference_at")


def drift(decision: str, /, *, most: int = 20, here: CommandHere) -> None:
    """List how far a decision's batches had moved from their reference, latest first.

    The index (PSI) is 0 where nothing has moved. A field above its bound is told as a warning;
    nothing is withheld for it.

    Args:
        decision: Which.
        most: How many lines at most.
        here: What the command works on.

    Examples:
        followthrough drift churn-save-call
        followthrough drift churn-save-call --most 5 --json
    """
    if most < 1:
        raise NotUnderstood(f"--most is {most}; write a number from 1")
    if here.layer.ledger.latest_version(decision) is None:
        here.layer.definition(decision)
    asked = here.layer.ledger.drifts
    found, references = asked.history(decision, most=most), asked.references(decision)
    usual = {
        name: {"rows": each.distribution.rows, "set_at": each.set_at, "set_by": each.set_by}
        for name, each in references.items()
    }
    document = {"drift": [attributes(each, *_SHOWN) for each in found], "references": usual}
    if not references:
        here.out.answer(document, "no reference was set; the first run that watches a field does")
        return
    now = here.clock()
    held = (
        (name, briefly(each.set_at, now), each.set_by, each.distribution.rows)
        for name, each in references.items()
    )
    headings = ("held against", "set at (UTC)", "by", "rows")
    lines = table(*headings, rows=list(held), whole=[0, 1, 2])
    here.out.answer(document, lines, "", *_drawn(found, here))


def reference(decision: str, /, *, as_: As = None, here: CommandHere) -> None:
    """Hold later batches against the present one, which must meet its data contract.

    For an owner of the decision, after a model was retrained or a shift was found to be right.
    What was recorded stays as it was.

    Args:
        decision: Which.
        as_: Who says so; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough reference churn-save-call --as lee.park
    """
    from flows.references import set_reference

    set_for = set_reference(here.layer, decision, here.person(as_))
    named = ", ".join(set_for)
    here.out.answer(
        {"decision": decision, "fields": set_for},
        f"{decision}: later batches are held against the present one in {named}",
    )


def _drawn(found: Sequence["Drifted"], here: CommandHere) -> list[RenderableType]:
    if not found:
        return ["no later run has looked yet"]
    now = here.clock()
    rows = [
        (
            each.run,
            briefly(each.at, now),
            each.field,
            f"{each.psi:.3f}",
            f"{each.bound:.3f}",
            "moved" if each.is_flagged else "",
        )
        for each in found
    ]
    return [table("run", "at (UTC)", "field", "index", "bound", "", rows=rows, whole=[1, 2, 5])]
