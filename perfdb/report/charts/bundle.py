"""The one JavaScript file that draws every chart of a site: Vega, Vega-Lite, vega-embed and its expression interpreter."""

from __future__ import annotations

VEGALITE = "6.4"


def bundle() -> str:
    """JavaScript that sets `window.vegaEmbed`, for a plain `<script src>`: 0.9 MB, the same bytes each time, 2 s to make.

    It works from `file://` and without `eval`: draw with

        vegaEmbed(element, spec, {ast: true, actions: false, renderer: "svg", config: LIGHT or DARK})

    `ast` has expressions interpreted, so a Content-Security-Policy needs no 'unsafe-eval'; Vega's tooltip and SVG need
    `style-src 'unsafe-inline'`.
    """
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGALITE)
