"""A workspace: the folder of definitions with its people and its connections, read and checked.

Every fault of every file is told at once; a workspace with a fault is not loaded at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from decisions.definition import Definition
from decisions.errors import DefinitionError, Fault, Place
from decisions.ownership import People
from decisions.workspace import coherence, reachability, roster
from decisions.workspace.coherence import Role
from decisions.workspace.connections import ConnectionKind, ConnectionSpec, read_connection
from decisions.workspace.faults import read_as
from decisions.workspace.yaml_text import MOST_VALUES, YamlText, read_yaml

PEOPLE = "people.yaml"
CONNECTIONS = "connections.yaml"
MOST_IN_A_DEFINITION = 20_000
"""Keys and values; a hundred rules with their actions have a thousand."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace without faults.

    Attributes:
        folder: Where it lies.
        people: Who there is.
        connections: By name.
        decisions: By name.
        warnings: What is not wrong but probably not meant.
        texts: The file of each decision, for the lines of what is found later.
    """

    folder: Path
    people: People
    connections: Mapping[str, ConnectionSpec]
    decisions: Mapping[str, Definition]
    warnings: tuple[Fault, ...] = ()
    texts: Mapping[str, YamlText] = field(default_factory=dict, repr=False)

    def fault(self, decision: str, place: Place, text: str) -> Fault:
        """Return a fault at a place of a decision's file, such as ``("examples", 0)``."""
        written = self.texts.get(decision)
        return written.fault(place, text) if written else Fault(f"{decision}.yaml", 0, text)


def load_workspace(
    folder: Path, kinds: Mapping[str, ConnectionKind], *, today: date | None = None
) -> Workspace:
    """Read a workspace.

    Args:
        folder: Where it lies.
        kinds: The types of connection there are.
        today: The present date, to warn of reviews that are overdue; no warning if left out.

    Raises:
        DefinitionError: It has faults; the error holds all of them.
    """
    loading = _Loading(folder, kinds)
    people = loading.people()
    connections = loading.connections()
    written = loading.definitions(people)
    if loading.faults or people is None:
        raise DefinitionError(loading.faults)
    return Workspace(
        folder=folder,
        people=people,
        connections=connections,
        decisions={name: definition for name, (definition, _) in written.items()},
        warnings=(
            *_doubtful(connections),
            *_warnings(folder, written, today),
            *loading.doubts,
        ),
        texts={name: text for name, (_, text) in written.items()},
    )


class _Loading:
    """Reads the files of one folder and gathers their faults.

    Attributes:
        faults: Every fault found so far.
        doubts: What could not be found out about a definition.
    """

    def __init__(self, folder: Path, kinds: Mapping[str, ConnectionKind]) -> None:
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []
        self._folder, self._kinds = folder, kinds
        self._roles: dict[str, Role | None] | None = None
        if not folder.is_dir():
            fault = Fault(str(folder), 0, "no such folder; `followthrough init` makes a workspace")
            raise DefinitionError([fault])

    def people(self) -> People | None:
        """Return what ``people.yaml`` says, or None if it cannot be read at all."""
        text = self._text(PEOPLE)
        if text is None:
            return None
        reading = read_as(People, text)
        self.faults += reading.faults
        found = roster.contradictions(reading.model)
        self.faults += [text.fault(place, sentence) for place, sentence in found]
        return reading.model

    def connections(self) -> dict[str, ConnectionSpec]:
        """Return the connections that can be read."""
        text = self._text(CONNECTIONS)
        if text is None or not isinstance(text.content, dict):
            return {}
        self._roles = {}
        connections: dict[str, ConnectionSpec] = {}
        for name, entry in text.content.items():
            spec, faults = read_connection(name, entry, text, self._kinds)
            self.faults += faults
            self._roles[name] = spec.role if spec else None
            if spec:
                connections[name] = spec
        return connections

    def definitions(self, people: People | None) -> dict[str, tuple[Definition, YamlText]]:
        """Return the definitions, by name, with the texts they were read from."""
        found: dict[str, tuple[Definition, YamlText]] = {}
        prefixes: dict[str, str] = {}
        for path in sorted(self._folder.iterdir()):
            if path.suffix == ".yml":
                self._fault(path.name, f"is not read; call it {path.stem}.yaml")
            if path.suffix != ".yaml" or path.name in {PEOPLE, CONNECTIONS}:
                continue
            if (text := self._text(path.name)) is None:
                continue
            definition = self._definition(text, path.stem, people)
            found[path.stem] = definition, text
            first = prefixes.setdefault(definition.prefix, path.stem)
            if first != path.stem and definition.decision:
                clash = f"cases would be called {definition.prefix}-1 like those of {first!r}"
                place = ("case_prefix",) if definition.case_prefix else ("decision",)
                self.faults.append(text.fault(place, f"{clash}; give a case_prefix of its own"))
        return found

    def _definition(self, text: YamlText, name: str, people: People | None) -> Definition:
        reading = read_as(Definition, text)
        definition = reading.model
        self.faults += reading.faults
        if definition.decision and definition.decision != name:
            found = f"decision is {definition.decision!r}, the file is {name}.yaml"
            self.faults.append(text.fault(("decision",), f"{found}; give both one name"))
        found_between = coherence.contradictions(definition, people=people, roles=self._roles)
        self.faults += [text.fault(place, sentence) for place, sentence in found_between]
        if not reading.faults:
            self._examine(definition, text)
        return definition

    def _examine(self, definition: Definition, text: YamlText) -> None:
        never, unknown = reachability.examined(definition)
        self.faults += [text.fault(place, sentence) for place, sentence in never]
        self.doubts += [text.fault(place, sentence) for place, sentence in unknown]

    def _text(self, name: str) -> YamlText | None:
        path = self._folder / name
        if name in {PEOPLE, CONNECTIONS} and not path.exists():
            missing = f"no {name} in {self._folder}; `followthrough init` makes a workspace"
            self._fault(name, missing)
            return None
        most_values = MOST_VALUES if name in {PEOPLE, CONNECTIONS} else MOST_IN_A_DEFINITION
        try:
            read = read_yaml(path, name, most_values=most_values)
        except DefinitionError as error:
            self.faults += error.faults
            return None
        self.faults += read.faults
        if not isinstance(read.content, dict):
            found = "the file is empty" if read.content is None else "the file is no mapping"
            self._fault(name, f"{found}; it must hold keys with values")
            return None
        return read

    def _fault(self, name: str, text: str) -> None:
        self.faults.append(Fault(name, 0, text))


def _doubtful(connections: Mapping[str, ConnectionSpec]) -> Iterator[Fault]:
    for spec in connections.values():
        if doubt := getattr(spec.config, "doubt", None):
            yield Fault(spec.file, spec.line, f"{spec.name}: {doubt}")


def _warnings(
    folder: Path, written: Mapping[str, tuple[Definition, YamlText]], today: date | None
) -> Iterator[Fault]:
    if not written:
        yield Fault(str(folder), 0, "no decision yet; a decision is a file such as save-call.yaml")
    for definition, text in written.values():
        for place, sentence in coherence.doubts(definition, today):
            yield text.fault(place, sentence)
