"""The command line itself: which commands there are, in which order, and how each one ends."""

import atexit
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from textwrap import dedent
from typing import Annotated, Any, NoReturn

from cyclopts import App, Group, Parameter

from flows.cli import (
    answering,
    backtesting,
    describing,
    differing,
    drifting,
    examining,
    explaining,
    importing,
    operating,
    planning,
    proving,
    reading,
    releasing,
    starting,
    tokens,
)
from flows.cli.endings import DONE, document, exit_code, explanation
from flows.cli.here import Here, Options
from flows.cli.output import Output

_OVERVIEW = """The decision layer between models and people.

A decision opens a case for every subject it selects; a named person is told, answers, and what
came of it is recorded. Begin with `followthrough init FOLDER`, or see the whole loop on a made-up
company with `followthrough demo`.
"""
_ENDS = """Options may stand before or after the command. FOLLOWTHROUGH_WORKSPACE, _HOME,
_LEDGER and _PERSON in the environment set them once and for all.

Exit codes: 0 done; 1 the world failed; 2 there is something to fix, and what it is.
"""

_BEGIN = Group("Begin", sort_key=1)
_DECIDE = Group("Decide and follow up", sort_key=2)
_ANSWER = Group("Look at cases and answer", sort_key=3)
_RELEASE = Group("Versions", sort_key=4)
_PROVE = Group("Prove", sort_key=5)
_EVERY = Group("Options of every command", sort_key=9)

_MENU: dict[Group, tuple[Callable[..., int | None], ...]] = {
    _BEGIN: (
        starting.init,
        starting.check,
        examining.doctor,
        describing.schema,
        describing.docs,
        describing.boundary,
        starting.demo,
        starting.serve,
        tokens.token,
    ),
    _DECIDE: (
        operating.run,
        operating.runs,
        drifting.drift,
        drifting.reference,
        operating.dispatch,
        operating.escalate,
        operating.deliver,
        operating.observe,
    ),
    _ANSWER: (
        reading.cases,
        reading.show,
        reading.schedule,
        answering.acknowledge,
        answering.override,
        answering.snooze,
        answering.reassign,
        answering.done,
    ),
    _RELEASE: (
        releasing.release,
        releasing.sign,
        releasing.stage,
        releasing.halt,
        releasing.resume,
        releasing.rollback,
        releasing.versions,
        differing.diff,
    ),
    _PROVE: (
        explaining.explain,
        backtesting.backtest,
        proving.report,
        planning.plan,
        importing.import_,
        importing.outcomes,
        proving.verify,
        proving.audit,
    ),
}

_READS: frozenset[Callable[..., int | None]] = frozenset(
    {
        operating.runs,
        drifting.drift,
        *(reading.cases, reading.show),
        *(releasing.versions, differing.diff),
        *(answering.acknowledge, answering.override, answering.snooze),
        *(answering.reassign, answering.done),
        *(explaining.explain, importing.outcomes),
        *(proving.report, proving.verify, proving.audit),
    }
)
"""Commands about what is recorded already: without a ledger there is nothing to ask them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        argv: The words after the program's name; the process's own if left out.

    Returns:
        The exit code: 0 done, 1 the world failed, 2 there is something to fix.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return int(application().meta(words, exit_on_error=False, print_error=False) or DONE)
    except BrokenPipeError:
        # Whoever read our answer has had enough of it, like `followthrough cases | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the one place where all end
        if "-v" in words or "--verbose" in words:
            traceback.print_exception(error)
        else:
            Output().complain(explanation(error))
        if "--json" in words:
            Output(as_json=True).answer({"error": document(error)})
        return exit_code(error)


def command() -> NoReturn:
    """Be the program: carry out what was asked, then leave without tidying up memory.

    Python would take everything it has loaded apart, object by object, which takes a fifth of a
    second. Threads have ended and whatever wanted to be told of the end was told before.
    """
    ended: list[int] = []
    atexit.register(_leave, ended)  # first to register is last to be called
    ended.append(main())
    sys.exit(ended[0])


def _leave(ended: Sequence[int]) -> None:
    if not ended:
        return
    logging.shutdown()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python has its own way to say so
    os._exit(ended[0])


def application() -> App:
    """Return the command line with all its commands, each with its examples below its help."""
    app = App(
        name="followthrough",
        help=_reflowed(_OVERVIEW),
        help_epilogue=_reflowed(_ENDS),
        help_format="plaintext",
        version=_version,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    app["--help"].group = app["--version"].group = _EVERY
    app.meta.group_parameters = _EVERY
    for group, commands in _MENU.items():
        for place, command in enumerate(commands):
            text = inspect.getdoc(command) or ""
            app.command(
                command,
                group=group,
                sort_key=place,
                help=_reflowed(text.partition("\nArgs:\n")[0].partition("\nExamples:\n")[0]),
                help_epilogue=_examples(text),
            )

    @app.meta.default
    def _carry_out(
        *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        options: Options = Options(),  # noqa: B008  frozen
    ) -> int | None:
        command, bound, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
        here = Here(options, only_reads=command in _READS)
        try:
            return _result(command(*bound.args, **bound.kwargs, **dict.fromkeys(ignored, here)))
        finally:
            here.close()

    return app


def _version() -> str:
    try:
        return version("followthrough")
    except PackageNotFoundError:
        return "not installed; run from its folder"


def _result(found: Any) -> int | None:
    return found if isinstance(found, int) else None


def _examples(text: str) -> str:
    examples = dedent(text.partition("\nExamples:\n")[2]).strip()
    return f"Examples:\n{examples}".replace("\n", "\n  ")


def _reflowed(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))
