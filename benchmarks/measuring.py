"""Runs a way of a job as a process of its own and says what that cost."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class WaysDisagree(Exception):
    """Two ways of the same job gave different answers, so their times mean nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took.

    Attributes:
        wall: Seconds from start to end, imports included.
        cpu: Seconds of user and system time of the process; a database server's is not in it.
        peak: Highest resident memory, in MiB.
        inside: Seconds that the way itself measured around its work; None if it did not.
    """

    wall: float
    cpu: float
    peak: float
    inside: float | None = None


@dataclass(slots=True)
class Measured:
    """One way of a job over all rounds.

    Attributes:
        way: Its name.
        costs: One a round.
        answer: What it came to; the same in every round.
    """

    way: str
    costs: list[Cost] = field(default_factory=list)
    answer: Any = None

    def middle(self, name: str) -> float:
        """Return the median of one attribute of ``Cost`` over the rounds."""
        return median(getattr(cost, name) for cost in self.costs)

    def summary(self) -> dict[str, Any]:
        """Return what is kept of it in ``results.json``."""
        kept = {name: round(self.middle(name), 4) for name in ("wall", "cpu", "peak")}
        if self.costs[0].inside is not None:
            kept["inside"] = round(self.middle("inside"), 6)
        walls = [cost.wall for cost in self.costs]
        return kept | {"fastest": round(min(walls), 4), "slowest": round(max(walls), 4)}


def measure(measured: Measured, module: str, *arguments: object) -> None:
    """Run ``module.way(*arguments)`` in a fresh process and add what it cost.

    Args:
        measured: The way; its name is the function's.
        module: Where the function is; it must import nothing heavy by itself.
        *arguments: Handed to it as text.

    Raises:
        WaysDisagree: It came to another answer than in the round before.
        CalledProcessError: It failed.
    """
    call = f"from {module} import {measured.way} as way; answer = way(*sys.argv[1:])"
    script = f"import os, sys, json; {call}; print(json.dumps(answer), file=sys.stderr)"
    script += "; sys.stderr.flush(); os._exit(0)"  # as the program ends; alike for all ways
    command = [sys.executable, "-c", script, *map(str, arguments)]
    cost, said = timed(command)
    answer, inside = json.loads(said.splitlines()[-1])
    if measured.costs and answer != measured.answer:
        raise WaysDisagree(f"{measured.way}: {measured.answer}, then {answer}")
    measured.answer = answer
    measured.costs.append(Cost(cost.wall, cost.cpu, cost.peak, inside))


def timed(command: list[str]) -> tuple[Cost, str]:
    """Return what a command cost and what it said on stderr.

    Raises:
        CalledProcessError: It failed; what it said is its ``stderr``.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        said = process.stderr.read() if process.stderr else ""
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(said)
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), said


def run_python(module: str, name: str, *arguments: object) -> None:
    """Call ``module.name(*arguments)`` in a process of its own, untimed.

    What is made ready must not weigh on the figures: a process begins with its parent's peak.

    Raises:
        CalledProcessError: It failed.
    """
    script = f"import sys; from {module} import {name} as act; act(*sys.argv[1:])"
    timed([sys.executable, "-c", script, *map(str, arguments)])


def agree(ways: list[Measured]) -> None:
    """Check that all ways came to the same answer.

    Raises:
        WaysDisagree: They did not.
    """
    answers = {way.way: way.answer for way in ways}
    if len({json.dumps(answer) for answer in answers.values()}) > 1:
        raise WaysDisagree(f"different answers to one question: {answers}")
