"""Plan a measurement before it begins."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import RenderableType

from flows.cli.here import CommandHere
from flows.cli.output import pairs, table

if TYPE_CHECKING:
    from decisions.effectiveness.plan import Outlook
    from flows.planning import Planned


def plan(
    decision: str,
    /,
    *,
    scores: Annotated[list[Path] | None, Parameter(consume_multiple=True, negative=())] = None,
    baseline: Annotated[str | None, Parameter(metavar="SHARE")] = None,
    effect: Annotated[str | None, Parameter(metavar="DIFFERENCE")] = None,
    here: CommandHere,
) -> None:
    """Say what to expect of a decision's measurement before it goes live.

    How many cases a week, how large the holdout must be, when the first look and the verdict can
    be expected, and what the holdout costs. Nothing is recorded.

    Args:
        decision: Which.
        scores: Files with past scores, a batch each; else the ledger's runs tell the pace.
        baseline: The rate without action, such as 71%; else what is known or declared.
        effect: The smallest effect worth having, such as '4 points'; else as declared.
        here: What the command works on.

    Examples:
        followthrough plan churn-save-call
        followthrough plan churn-save-call --scores january.parquet february.parquet
        followthrough plan churn-save-call --baseline 71% --effect '4 points' --json
    """
    from flows.planning import plan_now

    with here.out.busy(f"{decision}: reading past batches"):
        found = plan_now(
            here.layer, decision, scores=scores or (), baseline=baseline, effect=effect
        )
    here.out.answer(found.model_dump(mode="json"), *_shown(found))


def _shown(found: "Planned") -> Iterator[RenderableType]:
    from decisions.effectiveness import written

    plan, pace = found.plan, found.plan.pace
    yield f"{found.decision}: what to expect of measuring it\n"
    weekly = "not known how many a week"
    if pace.weekly is not None:
        weekly = f"about {pace.weekly:,.0f} a week"
    absent = "not known" if pace.weekly is None else "never"
    look = written.day(plan.first_look_on) if plan.first_look_on else absent
    noticed = f"{plan.power_planned * 100:.0f} times out of 100 once the planned number is known"
    yield pairs(
        [
            ("subjects", f"{pace.at_once:,} at once, then {weekly} ({found.pace_from})"),
            ("held back", f"{pace.suppressed:,} more, by limits" if pace.suppressed else None),
            ("without action", f"{written.percent(plan.base)} ({found.base_from})"),
            ("effect worth having", f"{written.points(plan.difference)} points"),
            ("noticed", noticed),
            ("first look", look),
        ]
    )
    yield ""
    rows = [("declared", *_row(plan.declared, found.unit, absent))]
    if plan.computed:
        rows.append(("smallest that tells", *_row(plan.computed, found.unit, absent)))
    headings = ("holdout", "share", "subjects", "held out", "verdict about", "price")
    yield table(*headings, rows=rows, whole=[0, 1, 4])
    yield "\nSubjects: so many must come for enough to be held out, 9 times out of 10."
    yield "Price: successes forgone by leaving them alone, if the effect is as large as hoped."
    yield from (f"! {warning}" for warning in [*plan.warnings, *found.withheld])


def _row(outlook: "Outlook", unit: str | None, absent: str) -> tuple[object, ...]:
    from decisions.effectiveness import written

    price = f"{outlook.forgone:,.0f}" if outlook.forgone is not None else ""
    if outlook.price is not None:
        price += f" ({written.amount(outlook.price, unit)})"
    verdict = written.day(outlook.verdict_on) if outlook.verdict_on else absent
    return written.rounded(outlook.share), outlook.coming, outlook.held_out, verdict, price
