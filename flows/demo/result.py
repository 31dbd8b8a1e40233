"""What a demo showed: the loop's figures, the estimate beside the truth, and where to look next."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.console import RenderableType

from decisions.effectiveness import written
from decisions.effectiveness.report import EffectivenessReport
from flows.cli.output import clean, pairs, plural, table


class Figure(BaseModel):
    """One line of the loop.

    Attributes:
        name: What happened.
        count: How often; None where it cannot be known.
        note: What it is a count of.
    """

    name: str
    count: int | None
    note: str


class Estimate(BaseModel):
    """The effect as found beside the effect as it is; shares, as allocated.

    Attributes:
        truth: What being put forward really added to the chance of renewing, on average over the
            subjects that the estimate rests on; only a simulation can know.
        found: What the report estimates; None where it may make no estimate yet.
        lower: Lower end of its 95% interval.
        upper: Upper end.
        held_out: Held-out subjects whose outcome is known.
        treated: Subjects put forward whose outcome is known.
    """

    truth: float | None
    found: float | None
    lower: float | None
    upper: float | None
    held_out: int
    treated: int

    @property
    def contains_truth(self) -> bool | None:
        """Whether the truth lies within the interval; None without either of them."""
        if self.truth is None or self.lower is None or self.upper is None:
            return None
        return self.lower <= self.truth <= self.upper


class Kept(BaseModel):
    """What ``verify`` says of the demo's ledger.

    Attributes:
        entries: Entries recomputed.
        seals: Seals recomputed.
        head: Hash of the last seal.
        breach: The first thing that does not hold; None if everything does.
    """

    entries: int
    seals: int
    head: str
    breach: str | None


class DemoResult(BaseModel):
    """What a demo showed.

    Attributes:
        folder: Where everything lies.
        seed: What it was drawn from.
        accounts: Accounts of the made-up company.
        weeks: Weeks that passed.
        began_at: First instant of the story.
        ended_at: Its last.
        seconds: How long it took in earnest.
        flow_runs: Runs of flows that Prefect recorded.
        answers: What people said at the desk, late and refused answers included.
        figures: The loop, from evaluated to outcome known.
        present: Cases that wait for somebody now, by how they stand.
        effect: The estimate beside the truth.
        verdict: What the report says in its first sentences.
        ledger: What ``verify`` says.
        report: The report's page.
        next: Commands to look further.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path
    seed: int
    accounts: int
    weeks: int
    began_at: datetime
    ended_at: datetime
    seconds: float
    flow_runs: int
    answers: int
    figures: tuple[Figure, ...]
    present: dict[str, int]
    effect: Estimate
    verdict: str
    ledger: Kept
    report: Path
    next: dict[str, str]

    def shown(self) -> Sequence[RenderableType]:
        """Return the result for a person to read."""
        story = (
            f"Larkfield Software, made up: {self.accounts:,} accounts, "
            f"{plural(self.weeks, 'week')} to {written.day(self.ended_at)}; {self.flow_runs} flow "
            f"runs and {self.answers:,} answers in {self.seconds:.0f} s"
        )
        rows = [(figure.name, figure.count, figure.note) for figure in self.figures]
        holds = "all hold" if self.ledger.breach is None else self.ledger.breach
        ledger = f"{self.ledger.entries:,} entries under {self.ledger.seals:,} seals, {holds}"
        return (
            clean(story),
            table("The loop", "", "", rows=rows, whole=[0]),
            clean("Did the calls help?"),
            pairs(_effect(self.effect)),
            clean(f"  {self.verdict}\n"),
            clean("Now"),
            pairs(self.present.items()),
            clean("\nKept"),
            pairs([("ledger", ledger), ("head", self.ledger.head), ("report", typed(self.report))]),
            clean("\nNext"),
            *(clean(f"  {what}\n{_in_short_lines(how)}") for what, how in self.next.items()),
        )


def figures(report: EffectivenessReport) -> Iterator[Figure]:
    """Yield the loop's figures, in the order in which things happen."""
    funnel = report.funnel
    runs = funnel.runs
    blocked = f", {runs.withheld_runs} of them withheld" if runs.withheld_runs else ""
    yield Figure(
        name="evaluated", count=runs.evaluated, note=f"subjects in {runs.runs} runs{blocked}"
    )
    suppressed = sum(runs.suppressed.values())
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in runs.suppressed.items())
    yield Figure(name="suppressed", count=suppressed, note=reasons)
    yield Figure(name="held out", count=funnel.held_out, note="left alone on purpose, to compare")
    for stage in funnel.stages:
        share = f"{stage.count / stage.of:.0%} of opened, " if stage.count and stage.of else ""
        share = "" if stage.name == "opened" else share
        yield Figure(name=stage.name, count=stage.count, note=share + stage.meaning)


def typed(path: Path) -> str:
    """Return the path as one would type it in the present folder."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _in_short_lines(command: str) -> str:
    """Return the command with an option a line: to be copied from a terminal of any width."""
    return "    " + command.replace(" --", " \\\n      --")


def _effect(effect: Estimate) -> Iterator[tuple[str, str]]:
    if effect.truth is not None:
        yield "truth", f"{written.points(effect.truth)} points, known to the simulation alone"
    if effect.found is None or effect.lower is None or effect.upper is None:
        return
    inside = "contains the truth" if effect.contains_truth else "misses the truth"
    ends = f"{written.points(effect.lower)} to {written.points(effect.upper)}"
    yield "estimate", f"{written.points(effect.found)} points, 95% interval {ends}, which {inside}"
    yield "from", f"{effect.treated:,} accounts put forward, {effect.held_out:,} left alone"
