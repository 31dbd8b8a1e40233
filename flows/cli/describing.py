"""Describe what is declared: the schemas of the files, the catalogue, the operating boundary."""

import sys
from pathlib import Path
from typing import Literal

from flows.cli.here import CommandHere


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
