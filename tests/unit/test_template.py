from datetime import UTC, date, datetime
from decimal import Decimal
from time import process_time

import pytest
from jinja2 import UndefinedError

from decisions.definition import FieldSpec
from decisions.template import LONGEST_TEXT, Figure, faults, money, number, percent, rendered

OPENED_ON = date(2026, 11, 20)
FIELDS = {
    "risk": FieldSpec(type="float"),
    "arr": FieldSpec(type="decimal", unit="USD"),
    "seats": FieldSpec(type="integer"),
    "company": FieldSpec(type="string"),
    "is_trial": FieldSpec(type="boolean"),
    "renewal_on": FieldSpec(type="date"),
}
VALUES = {
    "risk": Figure.of(0.914),
    "arr": Figure.of(80000, "USD"),
    "seats": Figure.of(1234),
    "company": "Acme",
    "is_trial": True,
    "renewal_on": date(2026, 12, 31),
    "seen_at": datetime(2026, 11, 19, 9, 30, tzinfo=UTC),
    "nothing": None,
}


def filled(text: str) -> str:
    return rendered(text, VALUES, opened_on=OPENED_ON)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ risk | percent }}", "91%", id="percent"),
        pytest.param("{{ risk | percent(1) }}", "91.4%", id="percent-with-a-decimal"),
        pytest.param("{{ arr | money }}", "$80,000", id="money"),
        pytest.param("{{ seats | number }}", "1,234", id="number"),
        pytest.param("{{ seats }}", "1,234", id="bare-number"),
        pytest.param("{{ renewal_on | date }}", "31 Dec 2026", id="date"),
        pytest.param("{{ renewal_on }}", "31 Dec 2026", id="bare-date"),
        pytest.param("{{ seen_at }}", "19 Nov 2026, 09:30", id="bare-instant"),
        pytest.param("{{ renewal_on | days_from_now }}", "41", id="days-ahead"),
        pytest.param("{{ seen_at | days_from_now }}", "-1", id="days-ago"),
        pytest.param("{{ is_trial }}", "yes", id="truth"),
        pytest.param("{{ nothing }}", "not known", id="missing"),
        pytest.param("{{ nothing | money }}", "not known", id="missing-money"),
        pytest.param("{{ nothing | days_from_now }}", "an unknown number of", id="missing-days"),
        pytest.param("{% if nothing is none %}a{% else %}b{% endif %}", "a", id="is-none"),
        pytest.param("{{ 'big' if arr > 50000 else 'small' }}", "big", id="comparison"),
        pytest.param(
            "{% if risk > 0.9 and not is_trial %}a{% elif seats %}b{% endif %}", "b", id="if"
        ),
        pytest.param("a\n  b\t c", "a b c", id="one-line"),
        pytest.param("{{ '{{ risk }}' }}", "{{ risk }}", id="text-is-not-read-twice"),
    ],
)
def test_a_template_is_filled_in_for_people(text, expected):
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param("1", "100%", id="all"),
        pytest.param("0.1", "10%", id="ten"),
        pytest.param("0.0999", "10%", id="just-below-ten"),
        pytest.param("0.0041", "0.4%", id="small-shares-have-a-decimal"),
        pytest.param("0", "0%", id="none"),
    ],
)
def test_a_share_reads_as_percent(share, expected):
    assert percent(Decimal(share)) == expected


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        pytest.param("999.5", "EUR", "€999.50", id="cents-below-a-thousand"),
        pytest.param("1000.49", "EUR", "€1,000", id="no-cents-above"),
        pytest.param("12", "GBP", "£12", id="no-cents-where-there-are-none"),
        pytest.param("-80000", "USD", "-$80,000", id="negative"),
        pytest.param("12.345", "seats", "12.34", id="no-currency"),
        pytest.param("12", None, "12", id="no-unit"),
    ],
)
def test_an_amount_reads_in_its_currency(amount, unit, expected):
    assert money(Figure.of(amount, unit)) == expected


def test_a_number_has_the_decimals_it_is_told():
    assert number(Decimal("1234.5"), 2) == "1,234.50"
    assert number(Decimal("1234.567"), 0) == "1,235"


def test_a_name_without_a_value_is_not_passed_over():
    with pytest.raises(UndefinedError):
        filled("{{ elsewhere }}")


def test_a_long_text_is_cut_and_says_so():
    text = rendered("{{ company }}", {"company": "x" * 10_000}, opened_on=OPENED_ON)

    assert len(text) == LONGEST_TEXT
    assert text.endswith("…")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 100000000 }}", "{{ 'x' ~ company }}", "{{ 2 ** 1000000 }}", "{{ -risk }}",
        "{% for i in company %}{{ i }}{% endfor %}", "{{ range(10) }}", "{{ company.upper() }}",
        "{{ company.__class__.__mro__ }}", "{{ company['x'] }}", "{{ company[0:1] }}",
        "{{ [1, 2] }}", "{{ {'a': 1} }}", "{{ (1, 2) }}", "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}", "{% include 'x' %}", "{% import 'x' as y %}",
        "{% extends 'x' %}", "{% block b %}{% endblock %}",
        "{% raw %}{{ x }}{% endraw %}{{ self }}", "{{ company | upper }}",
        "{{ company | attr('x') }}", "{{ risk | percent(99) }}",
        "{{ risk | percent(decimals=1) }}", "{{ risk | percent(*company) }}",
        "{{ arr | money('USD') }}", "{{ company is mapping }}", "{{ lipsum() }}", "{{ cycler }}",
        "{% filter percent %}1{% endfilter %}", "{% call company() %}{% endcall %}", "{{ risk",
        "{% if risk %}", "{{ unknown }}", "{{ company | percent }}", "{{ renewal_on | number }}",
        "{{ arr | date }}",
    ],
)  # fmt: skip
def test_whatever_templates_may_not_do_is_told_beforehand(text):
    assert list(faults(text, FIELDS))


def test_a_template_that_is_nested_too_deeply_is_told_as_such():
    text = "{{ " + "(" * 450 + "risk" + ")" * 450 + " }}"

    assert list(faults(text, FIELDS)) == ["not a template: nested too deeply"]


def test_a_template_that_was_never_checked_is_not_compiled_either():
    began = process_time()

    with pytest.raises(ValueError, match="no multiplication"):
        filled("{{ 'x' * 100000000 }}")

    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            "{{ compny }}",
            "unknown field 'compny' in a template; did you mean 'company'?",
            id="name",
        ),
        pytest.param(
            "{{ risk | precent }}",
            "unknown filter 'precent' in a template; did you mean 'percent'?",
            id="filter",
        ),
        pytest.param(
            "{{ company | money }}",
            "the filter 'money' is for numbers; company is a string",
            id="type",
        ),
        pytest.param(
            "{{ arr is odd }}", "unknown test 'odd' in a template; there is 'none'", id="test"
        ),
        pytest.param(
            "{{ arr | number(9) }}",
            "the filter 'number' takes at most a number of decimals, 0 to 6",
            id="argument",
        ),
    ],
)
def test_a_fault_in_a_template_says_what_there_is(text, fault):
    assert list(faults(text, FIELDS)) == [fault]


def test_a_sound_template_has_no_faults():
    text = "{% if arr > 5 %}{{ company }}, {{ risk | percent }}{% endif %}"

    assert list(faults(text, FIELDS)) == []
