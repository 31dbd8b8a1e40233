"""How a command ends: what each error means to a shell and says to a person."""

import inspect
from typing import TYPE_CHECKING, Final, Literal, get_args, get_origin

from cyclopts import CycloptsError, MissingArgumentError
from pydantic import SecretStr, ValidationError

from decisions.errors import (
    DecisionLayerError,
    DefinitionError,
    ExpressionError,
    LifecycleError,
    NotUnderstood,
    UnknownPerson,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DONE: Final = 0
"""It was done."""
WORLD_FAILED: Final = 1
"""Something outside did not do as asked, or a check found a breach."""
YOURS_TO_FIX: Final = 2
"""What was asked, or a file, has to be changed first."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells count it."""

_ASKED: Final = {
    "CASE": "name a case, such as CSC-17",
    "DECISION": "name a decision",
    "FILE": "name a file",
    "FOLDER": "name a folder",
    "--what": "say what was done, in a sentence, with --what",
    "--note": "say why, in a sentence, with --note",
    "--to": "say who is to have it, with --to PERSON",
    "--decision": "say which decision, with --decision NAME",
    "--because": "say why, in a sentence, with --because",
}
"""What is asked for where an argument is missing."""

_YOURS = (
    CycloptsError,
    DefinitionError,
    ExpressionError,
    LifecycleError,
    NotUnderstood,
    UnknownPerson,
    ValidationError,
)


def exit_code(error: BaseException) -> int:
    """Return what the shell is told."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return YOURS_TO_FIX if isinstance(error, _YOURS) else WORLD_FAILED


def explanation(error: BaseException) -> str:
    """Return what the person is told: what was found, and what to do."""
    match error:
        case KeyboardInterrupt():
            return "stopped"
        case CycloptsError():
            told = _missing(error) if isinstance(error, MissingArgumentError) else str(error)
            return f"{told}\n`{_asked(error)} --help` says how it is used"
        case ValidationError():
            return "\n".join(_setting(found) for found in error.errors(include_url=False))
        case DecisionLayerError():
            return str(error)
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return f"{place}{error.strerror or error}"
    return (
        f"{type(error).__name__}: {error}\n"
        "this is a fault of followthrough itself; run it again with -v and report what it shows"
    )


def document(error: BaseException) -> dict[str, object]:
    """Return what a program is told of an error: its kind, its text, the faults of files."""
    told: dict[str, object] = {"kind": type(error).__name__, "text": explanation(error)}
    if isinstance(error, DefinitionError):
        told["faults"] = [
            {"file": fault.file, "line": fault.line, "text": fault.text} for fault in error.faults
        ]
    return told


def _asked(error: CycloptsError) -> str:
    return " ".join(["followthrough", *(error.command_chain or ())])


def _missing(error: MissingArgumentError) -> str:
    """Ask for the argument that is missing, and for every option that was not given either."""
    found = error.argument
    if found is None or error.target is None:
        return str(error)
    asked = [_wanted(found.name, found.hint)]
    given = {token.partition("=")[0] for token in error.root_input_tokens or []}
    for name, parameter in inspect.signature(error.target).parameters.items():
        option = f"--{name}"
        needed = (parameter.KEYWORD_ONLY, parameter.empty)
        is_wanted = (parameter.kind, parameter.default) == needed
        if is_wanted and option in _ASKED and option != found.name and option not in given:
            asked.append(_ASKED[option])
    return "; ".join(asked)


def _wanted(name: str, kind: object) -> str:
    words = get_args(kind)
    if get_origin(kind) is Literal and words:
        return f"say what to do: {', '.join(map(str, words))}"
    return _ASKED.get(name, f"give {name}")


def _setting(found: "ErrorDetails") -> str:
    """Name the variable at fault; what a secret holds, or all of them together, is not shown."""
    from flows.settings import Settings

    if not found["loc"]:
        return found["msg"].removeprefix("Value error, ")
    name = str(found["loc"][0])
    field = Settings.model_fields.get(name)
    is_secret = field is None or SecretStr.__name__ in str(field.annotation)
    shown = "not usable" if is_secret else repr(found["input"])
    return f"FOLLOWTHROUGH_{name.upper()} is {shown}: {found['msg']}"
