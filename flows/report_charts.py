"""The charts of a report as inline SVG: in the page's own colours, readable without any.

Altair and vl-convert take a second to load, so this module is imported when a chart is needed.
"""

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import altair as alt
import vl_convert

from decisions.effectiveness import written
from decisions.effectiveness.effect import Effect
from decisions.effectiveness.funnel import Stage
from decisions.effectiveness.judgement import Accuracy

INK, MUTED, LINE, MARK, PAPER = (
    f"var(--{name})" for name in ("ink", "muted", "line", "mark", "paper")
)
FONT = "system-ui, sans-serif"
WIDTH = 400
"""Drawn narrow, with text that is still read when a telephone makes it narrower."""


def outcomes(effect: Effect) -> str:
    """Draw both arms' mean outcomes with their intervals."""
    rows = [
        {
            "arm": name,
            "estimate": arm.estimate,
            "lower": arm.lower,
            "upper": arm.upper,
            "text": _value(effect)(arm.estimate),
        }
        for name, arm in (("put forward", effect.treatment), ("left alone", effect.control))
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("arm:N", sort=None, title=None, axis=_labels())
    )
    x = alt.X("estimate:Q", title=None, scale=_scale(rows), axis=_axis(effect, rows, "~%"))
    filled = alt.condition("datum.arm == 'put forward'", alt.value(MARK), alt.value(PAPER))
    chart = alt.layer(
        base.mark_rule(stroke=MARK, strokeWidth=2).encode(
            x=alt.X("lower:Q", scale=_scale(rows)), x2="upper:Q"
        ),
        base.mark_point(size=130, opacity=1, stroke=MARK, strokeWidth=2).encode(x=x, fill=filled),
        base.mark_text(dy=-17, fill=INK, fontSize=14, fontWeight="bold").encode(x=x, text="text:N"),
    )
    said = " ".join(
        f"{row['arm']}: {row['text']}, interval {written.arm_interval(effect, arm)}."
        for row, arm in zip(rows, (effect.treatment, effect.control), strict=True)
    )
    return _svg(chart, f"Outcomes. {said}", height=150)


def difference(effect: Effect) -> str:
    """Draw the difference with its interval against zero."""
    found = effect.difference.scaled(100 if effect.scale == "rate" else 1)
    row = found.model_dump() | {"text": written.difference(effect)}
    scale = _scale([row, {"lower": 0.0, "upper": 0.0}])
    axis = _axis(effect, [row], "+~f", sign="+")
    x = alt.X("estimate:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart(alt.InlineData(values=[row]))
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[4, 3])
    chart = alt.layer(
        zero.encode(x=alt.X("zero:Q", scale=scale)),
        base.mark_rule(stroke=MARK, strokeWidth=3).encode(
            x=alt.X("lower:Q", scale=scale), x2="upper:Q"
        ),
        base.mark_point(size=130, opacity=1, shape="diamond", fill=MARK, stroke=MARK).encode(x=x),
        base.mark_text(dy=-17, fill=INK, fontSize=14, fontWeight="bold").encode(x=x, text="text:N"),
    )
    better = "right of" if effect.better == "higher" else "left of"
    said = (
        f"Difference between the arms: {row['text']}, interval {written.interval(effect)}. "
        f"The dashed line is zero; {better} it is better."
    )
    return _svg(chart, said, height=150)


def looks(found: Sequence[tuple[str, Effect]], *, worthwhile: float | None = None) -> str:
    """Draw the difference at every look with its interval, against zero.

    Args:
        found: What each look is called, and its estimate; first one first.
        worthwhile: The smallest effect worth having, in shares or the measure's unit.
    """
    factor = 100 if found[-1][1].scale == "rate" else 1
    rows = [{"look": label, **each.difference.scaled(factor).model_dump()} for label, each in found]
    small = (worthwhile or 0.0) * factor
    band = [{"lower": -small, "upper": small}] if small else []
    scale = _scale([*rows, *band, {"lower": 0.0, "upper": 0.0}])
    y = alt.Y(
        "estimate:Q", title=None, scale=scale, axis=_axis(found[-1][1], rows, "+~f", sign="+")
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("look:O", sort=None, title=None, axis=_months())
    )
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[4, 3])
    between = alt.Chart(alt.InlineData(values=band)).mark_rect(
        fill=MUTED, fillOpacity=0.13, stroke=MUTED, strokeDash=[1, 3]
    )
    chart = alt.layer(
        between.encode(y=alt.Y("lower:Q", scale=scale), y2="upper:Q"),
        zero.encode(y=alt.Y("zero:Q", scale=scale)),
        base.mark_rule(stroke=MARK, strokeWidth=3).encode(
            y=alt.Y("lower:Q", scale=scale), y2="upper:Q"
        ),
        base.mark_point(size=110, opacity=1, shape="diamond", fill=MARK, stroke=MARK).encode(y=y),
    )
    said = " ".join(
        f"{label}: {written.difference(each)}, interval {written.interval(each)}."
        for label, each in found
    )
    if small:
        said += f" Within {small:.3g} either way an effect is too small to be worth having."
    return _svg(chart, f"Difference at every look. {said}", height=200)


def forest(found: Sequence[tuple[str, Effect]]) -> str:
    """Draw the gain of several decisions on rates, in points, against zero.

    Names and figures stand above their interval, at the edges: a long name is never cut.
    """
    rows = [
        {"decision": name, **each.gain.scaled(100).model_dump(), "text": _turned(each)}
        for name, each in found
    ]
    scale = _scale([*rows, {"lower": 0.0, "upper": 0.0}])
    x = alt.X("estimate:Q", title=None, scale=scale, axis=_axis(found[0][1], rows, "+~f"))
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("decision:N", sort=None, title=None, axis=None)
    )
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(stroke=INK, strokeDash=[4, 3])
    chart = alt.layer(
        zero.encode(x=alt.X("zero:Q", scale=scale)),
        base.mark_rule(stroke=MARK, strokeWidth=3).encode(
            x=alt.X("lower:Q", scale=scale), x2="upper:Q"
        ),
        base.mark_point(size=110, opacity=1, shape="diamond", fill=MARK, stroke=MARK).encode(x=x),
        base.mark_text(align="left", dy=-17, fill=INK, fontSize=13).encode(
            x=alt.value(0), text="decision:N"
        ),
        base.mark_text(align="right", dy=-17, fill=INK, fontSize=13, fontWeight="bold").encode(
            x=alt.value("width"), text="text:N"
        ),
    )
    said = " ".join(
        f"{name}: {written.difference(each)}, interval {written.interval(each)}."
        for name, each in found
    )
    return _svg(chart, f"Difference by decision. {said}", height=52 * len(rows) + 30)


def _turned(effect: Effect) -> str:
    said = written.difference(effect)
    return f"{said.removesuffix(' points')} (lower is better)" if effect.better == "lower" else said


def reliability(found: Accuracy) -> str:
    """Draw how many came out as foretold in each tenth of the scores, with intervals.

    Where scores are chances, the dashed line is where a model that is right would have them.
    """
    rows = [each.model_dump() for each in found.bins]
    least, most = (end([row["score"] for row in rows]) for end in (min, max))
    is_rate = found.brier is not None
    margin = 0.04 if is_rate else (most - least) * 0.06 or 1.0
    across = [-margin, 1 + margin] if is_rate else [least - margin, most + margin]
    scale = alt.Scale(domain=across, nice=False, zero=False)
    height = alt.Scale(domain=[-0.04, 1.04], nice=False, zero=False)
    shares = [0, 0.25, 0.5, 0.75, 1]
    said_axis = _plain("~%", shares) if is_rate else _plain("~f")
    x = alt.X("score:Q", title="mean score", scale=scale, axis=said_axis)
    y = alt.Y("rate:Q", title="came out so", scale=height, axis=_plain("~%", shares))
    right = [{"score": end, "rate": end} for end in (0, 1)] if is_rate else []
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    chart = alt.layer(
        alt.Chart(alt.InlineData(values=right))
        .mark_line(stroke=INK, strokeDash=[4, 3], strokeWidth=1)
        .encode(x=x, y=y),
        base.mark_rule(stroke=MARK, strokeWidth=2).encode(
            y=alt.Y("lower:Q", scale=height), y2="upper:Q"
        ),
        base.mark_point(size=70, opacity=1, fill=PAPER, stroke=MARK, strokeWidth=2).encode(y=y),
    )
    write = written.percent if is_rate else written.number
    said = "; ".join(
        f"mean score {write(each.score)}: {written.percent(each.rate)} of "
        f"{written.count(each.subjects)}"
        for each in found.bins
    )
    return _svg(chart, f"Came out as foretold, by score: {said}.", height=300)


def funnel(stages: Sequence[Stage]) -> str:
    """Draw how many cases got how far, as bars with their counts."""
    rows = [
        {"stage": stage.name, "count": stage.count, "text": _stage_text(stage)}
        for stage in stages
        if stage.count is not None
    ]
    most = max((stage.of for stage in stages), default=0)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("stage:N", sort=None, title=None, axis=_labels()),
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=[0, max(most, 1) * 1.8])),
    )
    chart = alt.layer(
        base.mark_bar(fill=MARK, fillOpacity=0.25, stroke=MARK, strokeWidth=1, height=16),
        base.mark_text(align="left", dx=6, fill=INK, fontSize=13).encode(text="text:N"),
    )
    said = "; ".join(f"{row['stage']} {row['text']}" for row in rows)
    return _svg(chart, f"Cases by stage: {said}.", height=28 * len(rows) + 8)


def _stage_text(stage: Stage) -> str:
    if stage.count is None or stage.name == "opened" or not stage.of:
        return written.count(stage.count or 0)
    return f"{written.count(stage.count)} ({written.percent(stage.count / stage.of)})"


def _value(effect: Effect) -> Callable[[float], str]:
    return written.percent if effect.scale == "rate" else written.number


def _scale(rows: Sequence[dict[str, Any]]) -> alt.Scale:
    lowest = min(row["lower"] for row in rows)
    highest = max(row["upper"] for row in rows)
    margin = (highest - lowest) * 0.18 or 1.0
    return alt.Scale(domain=[lowest - margin, highest + margin], nice=False, zero=False)


def _axis(
    effect: Effect, rows: Sequence[dict[str, Any]], rates: str, *, sign: str = ""
) -> alt.Axis:
    is_large = max(abs(row[end]) for row in rows for end in ("lower", "upper")) >= 100_000
    means = f"{sign}~s" if is_large else f"{sign},~f"
    return alt.Axis(
        format=rates if effect.scale == "rate" else means,
        labelExpr="datum.value == 0 ? '0' : datum.label",
        tickCount=4,
        grid=False,
        domainColor=LINE,
        tickColor=LINE,
        labelColor=MUTED,
        labelFontSize=12,
    )


def _plain(form: str, values: Sequence[float] | None = None) -> alt.Axis:
    return alt.Axis(
        format=form,
        grid=False,
        domainColor=LINE,
        tickColor=LINE,
        labelColor=MUTED,
        labelFontSize=12,
        titleColor=MUTED,
        titleFontSize=12,
        titleFontWeight="normal",
        **({"values": values} if values else {"tickCount": 4}),
    )


def _labels() -> alt.Axis:
    return alt.Axis(
        domain=False,
        ticks=False,
        labelColor=INK,
        labelFontSize=12.5,
        labelLimit=112,
        labelPadding=8,
        minExtent=112,
        maxExtent=112,
    )


def _months() -> alt.Axis:
    return alt.Axis(
        domain=False,
        ticks=False,
        labelAngle=0,
        labelColor=INK,
        labelFontSize=12,
        labelOverlap="greedy",
        labelPadding=8,
    )


def _svg(chart: alt.LayerChart | alt.FacetChart, said: str, *, height: int) -> str:
    finished = (
        chart.properties(width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit"))
        .configure(font=FONT, background="transparent", aria=False)
        .configure_view(stroke=None)
    )
    svg: str = vl_convert.vegalite_to_svg(finished.to_dict())
    # Inside a page SVG needs no namespace, and without one the file mentions no address at all.
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(said)}"', 1)
