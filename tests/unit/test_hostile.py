"""What is written to harm the reader is refused where it stands, before it has cost anything."""

import json
import shutil
from datetime import date
from pathlib import Path
from time import process_time

import pytest

from connectors import registry
from decisions.deciding.rehearsal import failed_examples
from decisions.errors import DefinitionError, Fault
from decisions.workspace import load_workspace
from tests.samples import definition

WRITTEN = Path(__file__).parent / "definitions"
GOOD = (WRITTEN / "save-call.yaml").read_text()
RULE = "  - {name: high, when: risk >= 0.8, do: call, because: the risk is high}\n"
GENEROUS = 5.0
"""Seconds of the processor's time; a tenth of them is what it takes on a machine with nothing else
to do."""


@pytest.fixture
def told(tmp_path):
    """Return how the first fault of a definition is told, once it was read in time."""
    for name in ("people.yaml", "connections.yaml"):
        shutil.copy(WRITTEN / name, tmp_path)

    def reading(text: str) -> Fault:
        (tmp_path / "save-call.yaml").write_text(text)
        began = process_time()
        with pytest.raises(DefinitionError) as caught:
            load_workspace(tmp_path, registry.connection_kinds())
        assert process_time() - began < GENEROUS
        return caught.value.faults[0]

    return reading


def when(condition: str) -> str:
    return GOOD.replace("risk >= 0.8", json.dumps(condition))


def because(template: str) -> str:
    return GOOD.replace("because: the risk is high", f"because: {json.dumps(template)}")


def rules(count: int) -> str:
    return GOOD.replace(RULE, "".join(RULE.replace("high,", f"r{n},") for n in range(count)))


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        pytest.param("risk > (SELECT 1)", "not part of the rule language", id="subquery"),
        pytest.param(
            "EXISTS (SELECT * FROM read_csv('/etc/passwd'))", "not part of the rule", id="exists"
        ),
        pytest.param("read_csv('/etc/passwd') IS NOT NULL", "'read_csv' is not part", id="file"),
        pytest.param("PRAGMA database_list", "not an expression", id="pragma"),
        pytest.param("ATTACH 'x.duckdb'", "not an expression", id="attach"),
        pytest.param("risk > 1; DROP TABLE cases", "not an expression", id="two-statements"),
        pytest.param("getenv('HOME') = 'x'", "'getenv' is not part", id="environment"),
        pytest.param("sleep(9) = 1", "'sleep' is not part", id="sleep"),
        pytest.param("row_number() OVER () > 1", "not part of the rule language", id="window"),
        pytest.param("risk > $1", "not part of the rule language", id="parameter"),
        pytest.param("main.scores.risk > 1", "name of a table", id="another-table"),
        pytest.param("(" * 1_000 + "risk > 1" + ")" * 1_000, "nested too deeply", id="parentheses"),
        pytest.param("risk > " + "- " * 1_500 + "1", "nested too deeply", id="signs"),
        pytest.param("NOT " * 900 + "risk > 1", "nested too deeply", id="negations"),
        pytest.param("risk IN (" + "1," * 900 + "1)", "more than 500 parts", id="a-long-list"),
        pytest.param(" AND ".join(["risk > 1"] * 1_000), "at most 4000 characters", id="long"),
        pytest.param("risk > " + "9" * 400, "cannot be stored exactly", id="a-huge-number"),
        pytest.param("risk > 1 \x00", "cannot stand in an expression", id="nul"),
    ],
)
def test_a_condition_that_is_no_harmless_expression_is_refused_at_its_line(told, condition, reason):
    fault = told(when(condition))

    assert (fault.file, fault.line) == ("save-call.yaml", 10)
    assert reason in fault.text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        pytest.param("{{ risk.__class__.__mro__ }}", "no attribute", id="attribute"),
        pytest.param("{{ risk['__class__'] }}", "no index", id="index"),
        pytest.param("{{ risk | attr('__class__') }}", "unknown filter 'attr'", id="attr-filter"),
        pytest.param("{% for i in range(10**9) %}x{% endfor %}", "but no ", id="loop"),
        pytest.param("{{ 'x' * 1000000000 }}", "no multiplication", id="multiplication"),
        pytest.param("{{ holder | center(1000000000) }}", "unknown filter", id="padding"),
        pytest.param("{{ risk | number(1000000000) }}", "0 to 6", id="decimals"),
        pytest.param("{{ holder.format(risk) }}", "but no ", id="call"),
        pytest.param("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "but no ", id="recursion"),
        pytest.param("{% include '/etc/passwd' %}", "no include", id="include"),
        pytest.param("{{ self }}", "unknown field 'self'", id="the-template-itself"),
    ],
)
def test_a_template_that_could_reach_or_loop_is_refused_at_its_line(told, template, reason):
    fault = told(because(template))

    assert fault.line == 10
    assert reason in fault.text


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param(
            GOOD + "a: &a [x, x]\nb: [*a, *a]\n", 15, "anchors and aliases", id="alias-bomb"
        ),
        pytest.param(GOOD + "match: first\n", 15, "occurs again", id="duplicate-key"),
        pytest.param(GOOD.replace("dana.reyes", "NO", 1), 3, "business is 'NO'", id="norway"),
        pytest.param(GOOD.replace("4h", "1:30"), 14, "within is '1:30'", id="sixty-based"),
        pytest.param(GOOD + "z: " + "[" * 5_000, 15, "nested more than 20 deep", id="deep"),
        pytest.param(GOOD + "# " + "x" * 10_000_000, 0, "at most 1,000,000 bytes", id="large"),
        pytest.param(rules(101), 9, "rules: at most 100 are allowed", id="a-rule-too-many"),
        pytest.param(rules(10_000), 2_227, "more than 20,000 values", id="10000-rules"),
        pytest.param(
            GOOD + "".join(f"k{n}: 1\n" for n in range(40_000)),
            9_979,
            "more than 20,000 values",
            id="40000-keys",
        ),
        pytest.param(
            rules(100).replace("risk >= 0.8", f"'risk IN ({', '.join(['0.8'] * 150)})'"),
            9,
            "more than 50,000 characters together; put lists of values into a table",
            id="lists-in-every-rule",
        ),
    ],
)
def test_a_file_that_would_exhaust_or_mislead_its_reader_is_refused(told, text, line, reason):
    fault = told(text)

    assert reason in fault.text
    assert abs(fault.line - line) <= 1


def test_a_hundred_rules_that_nobody_could_follow_are_read_and_that_is_said(tmp_path):
    tangled = "".join(
        f"  - {{name: r{n}, do: call, because: x, when: '(risk * {n + 1} > 1 OR risk > 0.{n}) AND "
        f"(holder = ''{n}'' OR risk - {n} > 1) AND NOT (risk * {n} < 1 AND holder = ''x{n}'')'}}\n"
        for n in range(100)
    )
    for name in ("people.yaml", "connections.yaml"):
        shutil.copy(WRITTEN / name, tmp_path)
    (tmp_path / "save-call.yaml").write_text(GOOD.replace(RULE, tangled))
    began = process_time()

    workspace = load_workspace(tmp_path, registry.connection_kinds())

    assert process_time() - began < GENEROUS
    assert "of 100 conditions are ever reached was not found out" in workspace.warnings[-1].text


def test_a_thousand_examples_of_a_hundred_rules_are_run_in_time():
    steps = [
        {"name": f"r{n}", "when": f"risk >= {n / 100}", "do": "call", "because": "x"}
        for n in reversed(range(100))
    ]
    examples = [{"given": {"risk": n / 1000}, "expect": "call"} for n in range(1_000)]
    began = process_time()

    failed = failed_examples(definition(rules=steps, examples=examples), today=date(2026, 11, 20))

    assert process_time() - began < GENEROUS
    assert failed == ()
