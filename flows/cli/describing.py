"""Describe what is declared: the schemas of the files, the catalogue, the operating boundary."""

import sys
from datetime import UTC
from pathlib import Path
from typing import Literal

from flows.cli.here import CommandHere, writing_to
from flows.cli.output import plural


def schema(
    kind: Literal["definition", "people", "connections"] = "definition",
    /,
    *,
    output: Path | None = None,
    here: CommandHere,
) -> None:
    """Print the JSON Schema of a file, or write those of all.

    An editor that knows YAML completes and checks with them, offline: name one in the first line
    of a file, as `followthrough init` does. Connectors that are installed are in them.

    Args:
        kind: Of which file: a definition, people.yaml or connections.yaml.
        output: Folder to write all three to, instead.
        here: What the command works on.

    Examples:
        followthrough schema
        followthrough schema people
        followthrough schema --output schema
    """
    from connectors import registry
    from decisions.workspace.schema import schemas, text_of, write_schemas

    kinds = registry.connection_kinds()
    if output is None:
        # As it is, in a narrow terminal too: a line broken there would be no JSON any more.
        sys.stdout.write(text_of(schemas(kinds)[kind]))
        return
    written = write_schemas(output, kinds)
    line = f"# yaml-language-server: $schema={written[0]}"
    here.out.answer(
        {"files": written},
        f"{output} now holds {', '.join(path.name for path in written)}",
        f"\nFirst line of a definition\n  {line}",
    )


def docs(*, output: Path | None = None, here: CommandHere) -> None:
    """Write a catalogue of all decisions: pages for everybody, without script or server.

    Each decision has a page with its purpose, owners, rules in words and in SQL, actions, limits,
    outcome and examples, and its operating boundary on one sheet for printing.

    Args:
        output: Folder to write to; docs below home by default.
        here: What the command works on.

    Examples:
        followthrough docs
        followthrough docs --output public/decisions
    """
    from flows.catalogue import write_catalogue
    from flows.standing import standings
    from flows.wiring import read_workspace

    workspace = read_workspace(here.settings, here.clock)
    folder = output or here.settings.home / "docs"
    told, _ = standings(here.settings, here.clock, workspace.decisions)
    today = here.clock().astimezone(UTC).date()
    with writing_to(folder, asked="--output" if output else "--home"):
        pages = write_catalogue(workspace, folder, today=today, standings=told)
    decisions = plural(len(workspace.decisions), "decision")
    here.out.answer({"pages": pages}, f"{decisions} described; open {pages[0]}")


def boundary(decision: str, /, *, here: CommandHere) -> None:
    """Print the operating boundary of a decision: what it may do, and how to stop it.

    Who is told, on what evidence, what is automatic, where it stops, how much it can do, how to
    stop it: one page, the same as in the catalogue.

    Args:
        decision: Which.
        here: What the command works on.

    Examples:
        followthrough boundary churn-save-call
    """
    from flows.operating_boundary import operating_boundary
    from flows.standing import standings
    from flows.wiring import named_decision, read_workspace

    workspace = read_workspace(here.settings, here.clock)
    definition = named_decision(workspace, decision)
    sections = operating_boundary(definition, workspace.people)
    told, _ = standings(here.settings, here.clock, {decision: definition})
    document = {
        "decision": decision,
        "describes": told[decision],
        "sha256": definition.sha256,
        "boundary": {each.heading: each.sentences for each in sections},
    }
    shown = [
        "\n".join(["", each.heading, *(f"  {sentence}" for sentence in each.sentences)])
        for each in sections
    ]
    heading = f"{decision}: {definition.purpose.question}"
    here.out.answer(document, heading, f"Described is {told[decision]}.", *shown)
