"""Charts as files: SVG, PNG, PDF, or a page that needs nothing else. The same chart gives the same bytes."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

from perfdb.report.charts.bundle import VEGALITE, bundle
from perfdb.report.charts.scripts import script_json
from perfdb.report.charts.spec import Spec
from perfdb.report.charts.theme import LIGHT

# No data set of ours is an address: nothing is fetched.
_CONVERSION: dict[str, Any] = {"vl_version": VEGALITE, "config": LIGHT, "allowed_base_urls": []}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<div id="chart"></div>
<script>{bundle}</script>
<script>vegaEmbed("#chart", {spec}, {{ast: true, actions: false, renderer: "svg", config: {config}}});</script>
</body>
</html>
"""


def svg(spec: Spec) -> str:
    """The chart as SVG."""
    import vl_convert

    return vl_convert.vegalite_to_svg(spec, **_CONVERSION)


def png(spec: Spec, scale: float = 2.0) -> bytes:
    """The chart as PNG, `scale` pixels for each of its own."""
    import vl_convert

    return vl_convert.vegalite_to_png(spec, scale=scale, **_CONVERSION)


def pdf(spec: Spec) -> bytes:
    """The chart as a page of PDF, as large as itself."""
    import vl_convert

    return vl_convert.vegalite_to_pdf(spec, **_CONVERSION)


def page(spec: Spec) -> str:
    """The chart as an HTML page of 0.9 MB with its own script, tooltips and all; it fetches nothing and needs no eval."""
    words = str(spec.get("description", "chart"))
    return _PAGE.format(
        title=html.escape(words[:200]), bundle=bundle(), spec=script_json(spec), config=script_json(LIGHT)
    )


# By the file's ending: from a chart and the scale of its pixels to the file's bytes.
FORMATS: Mapping[str, Callable[[Spec, float], bytes]] = {
    "svg": lambda spec, _scale: svg(spec).encode(),
    "png": png,
    "pdf": lambda spec, _scale: pdf(spec),
    "html": lambda spec, _scale: page(spec).encode(),
}
