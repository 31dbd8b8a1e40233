"""Who hears of a report, and what: its verdict, once a month, through the outbox."""

from collections.abc import Iterator

from decisions.definition import Definition
from decisions.effectiveness import written
from decisions.effectiveness.report import EffectivenessReport
from decisions.errors import UnknownPerson
from decisions.ownership import resolve
from decisions.ports import Fact, Kind, Message
from flows.messages import addressee
from flows.report_pages import stem_of
from flows.wiring import Layer


def announce(layer: Layer, report: EffectivenessReport) -> list[str]:
    """Queue word of a report for its owners, their managers and whom the definition names.

    Each hears of a decision once a month, however often the report is made. Of an imported period,
    and of a decision that never ran, nobody does.

    Returns:
        Whom a message was queued for.
    """
    definition = layer.workspace.decisions.get(report.about.decision)
    runs = layer.ledger.runs.latest(report.about.decision, most=1)
    if definition is None or report.imported is not None or not runs:
        return []
    people = dict(_recipients(layer, definition))
    messages = {
        f"{because} ({person})": _message(layer, report, person)
        for person, because in reversed(people.items())
    }
    return sorted(layer.ledger.outbox.announce(runs[0].id, messages))


def _recipients(layer: Layer, definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield whom to tell and why; who comes last counts, so owners come after the rest."""
    people, owners, at = layer.workspace.people, definition.owners, layer.clock()
    for target in (*definition.report.to, "technical", "business"):
        try:
            found = resolve(target, people=people, owners=owners, assignee=None, at=at)
        except UnknownPerson:
            continue  # the definition was right when it was checked; the others still hear of it
        manager = people.people[found.person].manager
        if target in {"technical", "business"} and manager:
            yield people.standin(manager, at).person, f"manager of the {target} owner"
        yield found.person, f"{target} owner" if target in {"technical", "business"} else target


def _message(layer: Layer, report: EffectivenessReport, person: str) -> Message:
    about, verdict = report.about, report.verdict
    facts = [Fact(label="Recommendation", text=verdict.recommendation)]
    if report.benefit and report.benefit.money:
        money = report.benefit.money
        low, high = (
            written.amount(end, money.unit) for end in (money.amount.lower, money.amount.upper)
        )
        worth = written.amount(money.amount.estimate, money.unit)
        facts.append(Fact(label="Worth", text=f"about {worth} ({low} to {high}), before costs"))
    facts.append(Fact(label="Question", text=about.question))
    facts.append(
        Fact(label="Report", text=f"{stem_of(report)}.html, as of {written.day(report.as_of)}")
    )
    return Message(
        key=f"report:{about.decision}:{report.last:%Y-%m}:{person}",
        kind=Kind.REPORTED,
        to=addressee(person, layer.workspace.people),
        decision=about.decision,
        lead=f"Did it work? {report.last:%B %Y}",
        title=f"{about.decision}: {verdict.kind.value}",
        why=verdict.sentences,
        facts=tuple(facts),
        owner=about.owner("business"),
    )
