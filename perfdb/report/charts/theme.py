"""How charts look on a light page, a dark one and on paper: Vega's configuration for each.

A page passes one of them to `vegaEmbed(element, spec, {config: …})`; `drawing` does it for files.
The colours of series are Okabe and Ito's, which people with colour blindness can tell apart; on dark ones, lightened.
"""

from __future__ import annotations

from typing import Any

FONT = "system-ui, 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif"

VERDICTS = ("better", "worse", "equivalent", "undecided", "too few")


def _theme(
    *,
    text: str,
    quiet: str,
    grid: str,
    back: str | None,
    series: list[str],
    accent: str,
    verdicts: list[str],
    depth: list[str],
) -> dict[str, Any]:
    return {
        "background": back,
        "font": FONT,
        "padding": 8,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": text,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleColor": quiet,
            "subtitleFontSize": 11,
            "subtitlePadding": 4,
            "offset": 12,
        },
        "axis": {
            "labelColor": quiet,
            "titleColor": text,
            "gridColor": grid,
            "domainColor": quiet,
            "tickColor": quiet,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "titlePadding": 8,
            "labelLimit": 220,
        },
        "legend": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 11,
            "labelLimit": 520,
            "symbolStrokeWidth": 2,
        },
        "range": {"category": series, "verdict": verdicts, "heatmap": depth},
        "mark": {"color": series[0]},
        "rule": {"color": series[0]},
        "style": {
            "curve": {"strokeWidth": 2},
            "spread": {"strokeWidth": 2, "opacity": 0.55},
            "one": {"opacity": 0.75, "size": 42, "filled": True},
            "middle": {"filled": True, "size": 60, "opacity": 1},
            "median": {"color": text, "thickness": 3, "size": 20, "opacity": 1},
            "faint": {"color": quiet, "opacity": 0.5, "strokeDash": [2, 3]},
            "caption": {"color": quiet, "fontSize": 10},
            "value": {"color": text, "fontSize": 11},
            "segment": {"strokeWidth": 2, "opacity": 0.9},
            "change": {"color": accent, "strokeWidth": 2},
            "suspected": {"color": accent, "strokeWidth": 2, "strokeDash": [5, 4]},
            "changed": {"color": accent, "fontSize": 11, "fontWeight": 600},
            "remark": {"color": quiet, "strokeWidth": 1, "strokeDash": [1, 3]},
            "remarked": {"color": quiet, "fontSize": 10, "fontStyle": "italic"},
            "band": {"color": quiet, "opacity": 0.14},
            "unity": {"color": text, "strokeWidth": 1},
            "even": {"color": text, "strokeWidth": 1.5, "strokeDash": [5, 4]},
            "square": {"stroke": grid, "strokeWidth": 1},
            "inside": {"color": text, "fontSize": 10},
            "frame": {"fillOpacity": 0, "stroke": grid, "strokeWidth": 1},
            "ran": {"opacity": 0.6},
            "held": {"opacity": 0.25},
            "turn": {"opacity": 0.35},
            "level": {"opacity": 0.5},
            "box": {"fillOpacity": 0.3},
            "mean": {"color": text, "fill": text, "size": 34, "shape": "diamond", "opacity": 0.9},
            "unseen": {"shape": "triangle-right", "size": 70, "filled": False, "strokeWidth": 1.5, "opacity": 1},
        },
    }


LIGHT = _theme(
    text="#1b1f24",
    quiet="#57606a",
    grid="#e4e7eb",
    back="white",
    series=["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#444444"],
    accent="#b3261e",
    verdicts=["#007a5a", "#b3261e", "#0072b2", "#57606a", "#8b949e"],
    # One hue, and never so deep that the words on it can't be read.
    depth=["#f7fafc", "#6db3e0"],
)
DARK = _theme(
    text="#e6edf3",
    quiet="#9ba6b2",
    grid="#2b323b",
    back="transparent",
    series=["#5bb0ea", "#f5925a", "#3fc59b", "#e5a3c9", "#e2c044", "#9ad4f7", "#b99ae0", "#c9d1d9"],
    accent="#ff7b72",
    verdicts=["#3fc59b", "#ff7b72", "#5bb0ea", "#9ba6b2", "#7d8894"],
    depth=["#151b22", "#1f5f8f"],
)
