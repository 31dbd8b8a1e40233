"""What a flow run shows in Prefect's own pages."""

from prefect.artifacts import acreate_markdown_artifact

from decisions.effectiveness.report import EffectivenessReport
from decisions.wording import found_at_fault
from flows.report_pages import markdown
from flows.sweep import Decided


async def publish_run(decided: Decided) -> None:
    """Publish the run's counts, or what the gate found."""
    rows = [
        ("evaluated", decided.evaluated),
        ("selected by a rule", decided.selected),
        ("opened", decided.opened),
        ("held out", decided.held_out),
        *((f"suppressed: {reason}", count) for reason, count in decided.suppressed.items()),
        ("not met", decided.not_met),
        *((f"withheld: {reason}", count) for reason, count in decided.withheld.items()),
    ]
    table = "\n".join(f"| {name} | {count:,} |" for name, count in rows)
    text = f"## {decided.decision}, run {decided.run}\n\n| subjects | |\n| --- | --: |\n{table}\n"
    if decided.warnings:
        text += "\n" + "\n".join(f"- warning: {warning}" for warning in decided.warnings) + "\n"
    if decided.faults:
        found = "\n".join(
            f"- {fault}" for fault in found_at_fault(decided.faults, decided.examples)
        )
        text = f"## {decided.decision}, run {decided.run}: all withheld\n\n{found}\n"
    await acreate_markdown_artifact(markdown=text, key=f"run-{decided.decision}")


async def publish_report(report: EffectivenessReport) -> None:
    """Publish a report in brief."""
    key = f"report-{report.about.decision}"
    await acreate_markdown_artifact(markdown=markdown(report), key=key)
