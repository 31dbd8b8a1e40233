"""Explain why something happened to a subject, or did not, or would."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import NotUnderstood
from flows.cli.here import CommandHere, Here, instant, name_of
from flows.cli.output import pairs, table, when

if TYPE_CHECKING:
    from decisions.definition import Definition
    from decisions.ownership import People
    from flows.explaining import Explained

_END_OF_DAY = time(23, 59, 59, 999_999)
_HOLDS = {True: "yes", False: "no", None: "unknown"}


def explain(
    decision: str,
    /,
    *,
    subject: str | None = None,
    at: Annotated[str | None, Parameter(metavar="INSTANT")] = None,
    given: Annotated[
        list[str] | None, Parameter(metavar="FIELD=VALUE", consume_multiple=True, negative=())
    ] = None,
    here: CommandHere,
) -> None:
    """Say why something happened to a subject, or why nothing did.

    What the run in force said of it, the rule that decided, each condition with its value and
    inputs, arm and limits, model and version, who was told and what came of it since.

    With --given, what the decision as it is written now would say of such a record; no ledger and
    no warehouse is asked.

    Args:
        decision: Which.
        subject: Whom or what it is about.
        at: Explain the run in force then, a date meaning its end; now if left out.
        given: Fields of a made-up record, or one JSON object; what is left out is unknown.
        here: What the command works on.

    Examples:
        followthrough explain churn-save-call --subject acme
        followthrough explain churn-save-call --subject acme --at 2026-03-14
        followthrough explain churn-save-call --given churn_probability=0.91 arr=80000
    """
    if (subject is None) == (given is None):
        raise NotUnderstood("write either --subject SUBJECT, or --given FIELD=VALUE …")
    if given is not None:
        if at is not None:
            raise NotUnderstood(
                "--at goes with --subject; with --given, --as-of says which day it is"
            )
        _explain_given(here, decision, given)
    else:
        _explain_subject(here, decision, str(subject), at)


def _explain_subject(here: Here, decision: str, subject: str, at: str | None) -> None:
    from flows.cli.timeline import timeline
    from flows.explaining import explain

    then = here.clock()
    if at is not None:
        then = instant(at, asked="--at", zone=here.zone(), day_starts=_END_OF_DAY)
    found = explain(here.layer, decision, subject, at=then)
    dossier = here.layer.ledger.cases.dossier(found.case) if found.case else None
    since = timeline(dossier, here.layer.workspace.people) if dossier else []
    told = {each.recipient for each in dossier.notifications if each.sent_at} if dossier else set()
    document = found.model_dump() | {
        "case_state": dossier.case.state if dossier else None,
        "told": sorted(told),
        "since": [{"at": moment, "text": text} for moment, text in since],
    }
    state = dossier.case.state.replace("_", " ") if dossier else ""
    here.out.answer(document, *_shown(here, found, state), *_since(here, since))


def _explain_given(here: Here, decision: str, given: Sequence[str]) -> None:
    from decisions.deciding.explanation import explained
    from decisions.suggestions import choices
    from flows.explaining import rulings
    from flows.wiring import read_workspace

    workspace = read_workspace(here.settings, here.clock)
    definition = workspace.decisions.get(decision)
    if definition is None:
        hint = choices(decision, workspace.decisions)
        raise NotUnderstood(f"there is no decision {decision!r}; {hint} (in {workspace.folder})")
    record = _record(definition, given)
    found = explained(definition, record, as_of=here.clock())
    left_out = [name for name in _asked_of(found) if name not in record]
    verdict = "withheld" if found.withheld else found.action
    said = rulings(found)
    document = {
        "decision": decision,
        "given": record,
        "as_of": here.clock(),
        "rule": None if found.withheld else found.rule,
        "action": None if found.withheld else found.action,
        "withheld": found.withheld,
        "left_out": left_out,
    } | said
    why = (
        f"it would be left to a person: {found.withheld}"
        if found.withheld
        else (f"{found.rule} decides, which leads to {found.action}")
    )
    about = [("decision", decision), ("verdict", verdict), ("because", why)]
    about += [("left out", ", ".join(left_out))]
    drawn = _conditions(said["rules"], said["boundary"], None if found.withheld else found.rule)
    last = "\nLimits and the holdout are not asked: they depend on who else is in the batch."
    here.out.answer(document, pairs(about, 0), *drawn, last)


def _record(definition: "Definition", given: Sequence[str]) -> dict[str, Any]:
    from decisions.suggestions import choices

    record = _read_record(given)
    for name in record:
        if name not in definition.columns:
            hint = choices(name, definition.columns)
            raise NotUnderstood(f"{definition.decision} has no field {name!r}; {hint}")
    return record


def _read_record(given: Sequence[str]) -> dict[str, Any]:
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        try:
            read = json.loads(given[0])
        except ValueError as error:
            raise NotUnderstood(f"--given is not JSON: {error}") from None
        return {str(name): value for name, value in read.items()}
    record: dict[str, Any] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign:
            raise NotUnderstood(f"--given is {each!r}; write FIELD=VALUE, or one JSON object")
        if name in record:
            raise NotUnderstood(f"--given names {name!r} twice; a field has one value")
        record[name] = None if value == "null" else value
    return record


def _asked_of(found: Any) -> list[str]:
    """Return the columns that conditions read, each once, in the order they are read."""
    names: dict[str, None] = {}
    waiting = [each.condition for each in (*found.boundary, *found.rules)]
    while waiting:
        condition = waiting.pop(0)
        names |= dict.fromkeys(condition.inputs)
        waiting = [*condition.parts, *waiting]
    return list(names)


def _shown(here: Here, found: "Explained", state: str) -> Iterator[RenderableType]:
    if found.verdict is None:
        yield f"{found.subject}, {found.decision}: nothing was said of it"
        yield found.because
        yield from found.notes
        return
    people, zone = here.layer.workspace.people, here.zone()
    yield f"{found.subject}, {found.decision}: {found.verdict.replace('_', ' ')}"
    yield f"{found.because}\n"
    score = None if found.score is None else f"{found.score:g}"
    yield pairs(
        [
            ("run", f"{found.run}, {when(found.as_of, zone)} {zone}"),
            ("version", f"{found.version}, sha256 {(found.definition or '')[:12]}…"),
            ("model", " ".join(each for each in (found.model, found.model_version) if each)),
            ("score", score),
            ("scored", f"{when(found.scored_at, zone)} {zone}" if found.scored_at else None),
            ("rule", found.rule),
            ("action", found.action),
            ("arm", found.arm),
            ("with", _held_by(found, people)),
            ("case", f"{found.case}, now {state}" if found.case else None),
            *(("note", note) for note in found.notes),
        ]
    )
    yield from _conditions(found.rules, found.boundary, found.rule)


def _held_by(found: "Explained", people: "People") -> str | None:
    if not found.assignee:
        return None
    name = name_of(people, found.assignee)
    return f"nobody; else with {name}" if found.arm == "control" else name


def _conditions(
    rules: Sequence[Mapping[str, Any]], boundary: Sequence[Mapping[str, Any]], decides: str | None
) -> Iterator[RenderableType]:
    rows: list[tuple[str, str, str]] = []
    for each in boundary:
        rows += _ruling(f"withhold for {each['action']}: {each['name']}", each["condition"], "")
    for each in rules:
        mark = "  ← decides" if each["name"] == decides else ""
        rows += _ruling(f"{each['name']} → {each['action']}", each["condition"], mark)
    if rows:
        yield ""
        yield table("condition", "holds", "with", rows=rows, whole=[1])


def _ruling(
    heading: str, condition: Mapping[str, Any], mark: str
) -> Iterator[tuple[str, str, str]]:
    yield f"{heading}{mark}", _HOLDS[condition["value"]], ""
    alone = condition["joined"] != "AND"
    for each in [condition] if alone else condition["parts"]:
        yield from _part(each, 1)


def _part(condition: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str, str]]:
    with_ = ", ".join(f"{name} {_written(value)}" for name, value in condition["inputs"].items())
    yield "  " * depth + condition["text"], _HOLDS[condition["value"]], with_
    if condition["joined"] != "NOT" or condition["parts"][0]["parts"]:
        for part in condition["parts"]:
            yield from _part(part, depth + 1)


def _written(value: object) -> str:
    if value is None:
        return "is missing"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"


def _since(here: Here, since: Sequence[tuple[datetime, str]]) -> Iterator[RenderableType]:
    if since:
        rows = [(when(at, here.zone()), text) for at, text in since]
        yield f"\nSince then (times in {here.zone()})"
        yield table("", "", rows=rows, whole=[0])
