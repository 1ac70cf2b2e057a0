"""Who had which rows when: a bar for each on its rows, panel below panel on one axis of time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from perfdb.families.gantt import Gantt, Panel
from perfdb.report.charts.scales import axis
from perfdb.report.charts.spec import WIDTH, Spec, filled, rounded, shortened, slot, template, unlike
from perfdb.units import counted, duration

# Pixels.
_TITLE, _GAP, _TURNS, _LEVELS = 18, 12, 14, 96
_LETTER, _LOWEST_NAMED, _NUMBER = 7, 11, 12
_LEGEND = {"title": None, "orient": "bottom", "symbolType": "square", "symbolOpacity": 0.6}
_SETS = ("frames", "levels", "held", "ran", "turns", "names", "numbers", "titles")


def gantt(data: Gantt, *, title: str = "", notes: Sequence[str] = (), width: int = WIDTH) -> Spec:
    """The panels; below the rows of each a strip that says who waited first.

    A bar is deep while its job ran, and pale while it held its rows without.
    """
    kinds = [shortened(kind, 60) for kind in data.kinds]
    scale = axis("time", "s", [panel.until_s for panel in data.panels], log=False)
    span_s = max((panel.until_s for panel in data.panels), default=0.0) or 1.0
    page = _Page(scale.factor, width / (span_s * scale.factor))
    for label, panel in zip(unlike([panel.label for panel in data.panels]), data.panels, strict=True):
        page.take(data, label, panel)
    spoken = "; ".join(_spoken(data, panel) for panel in data.panels)
    return filled(
        _template(),
        {
            "x": scale.title,
            "domain": [0, rounded(span_s * scale.factor)],
            "height": [0, page.reached],
            "kinds": kinds,
            "legend": _LEGEND if len(kinds) > 1 else None,
        },
        page.sets,
        title=title,
        subtitle=[*_told(data), *data.remarks, *notes],
        description=f"{title or 'Gantt chart'}. {spoken}. {' '.join(data.remarks)}",
        width=width,
        height=max(60, page.reached),
    )


def _told(data: Gantt) -> Iterator[str]:
    if any(panel.spans for panel in data.panels):
        turns = any(panel.turns for panel in data.panels)
        first = f" Strip: the {data.span} that waited first." if turns else ""
        yield f"Deep: the {data.span} ran. Pale: it held its {data.row}s without.{first}"
    if any(panel.levels for panel in data.panels):
        yield f"Area: {data.row}s in use, of all that there are."


def _spoken(data: Gantt, panel: Panel) -> str:
    return f"{panel.label}, {counted(panel.rows, data.row)}: {panel.told}"


@dataclass
class _Page:
    """Panels put one below the other; `reached` is the height that they take so far, in pixels."""

    factor: float
    pixels: float
    reached: int = 0
    sets: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in _SETS})

    def take(self, data: Gantt, label: str, panel: Panel) -> None:
        """One more panel."""
        top = self.reached + _TITLE + (_GAP if self.reached else 0)
        self._add("titles", y=top - 6, told=shortened(f"{label}: {panel.told}", 90))
        row = _row_height(panel.rows) if panel.spans else _LEVELS / panel.rows
        below = top + round(row * panel.rows)
        self._frame(top, below, panel.until_s)
        if panel.spans:
            self._spans(label, panel, row, top)
        else:
            self._levels(data, label, panel, row, below)
        self.reached = below
        if panel.turns:
            self._turns(data, label, panel, below + 3)

    def _spans(self, label: str, panel: Panel, row: float, top: int) -> None:
        every = next(step for step in (1, 2, 4, 8) if step * row >= _NUMBER)
        for number in range(0, panel.rows, every):
            self._add("numbers", y=top + row * (number + 0.5), told=str(number))
        for span in panel.spans:
            held = {"s": f"{label}: {shortened(span.label, 80)}", "k": shortened(span.kind, 60)}
            held["told"] = _when(span.held, "") + ("" if span.is_over else ", not over by then")
            held["more"] = "" if span.ran is None else _when(span.ran, "ran ")
            for first, last in span.rows:
                # A hair between neighbours, so that two of one colour stay two.
                y, y2 = top + row * first + 0.5, top + row * (last + 1) - 0.5
                if span.ran is None or span.ran != span.held:
                    self._add("held", **held, **self._across(*span.held), y=y, y2=y2)
                if span.ran is not None:
                    self._add("ran", **held, **self._across(*span.ran), y=y, y2=y2)
                    self._name(span.short, span.ran, y, y2)

    def _levels(self, data: Gantt, label: str, panel: Panel, row: float, below: int) -> None:
        for number in dict.fromkeys((0, panel.rows)):
            self._add("numbers", y=below - row * number, told=f"{number:,}")
        for place, kind in enumerate(data.kinds):
            heights = [
                tuple(min(float(panel.rows), sum(level.in_use[:end])) for end in (place, place + 1))
                for level in panel.levels
            ]
            begins = [level.begin_s for level in panel.levels]
            for at, (low, high) in zip([*begins, panel.until_s], [*heights, *heights[-1:]], strict=False):
                across = {"x": rounded(at * self.factor), "y": below - row * high, "y2": below - row * low}
                self._add("levels", s=label, k=shortened(kind, 60), **across)

    def _turns(self, data: Gantt, label: str, panel: Panel, top: int) -> None:
        below = top + _TURNS
        self._add("numbers", y=(top + below) / 2, told="waits first")
        for turn in panel.turns:
            when = (turn.begin_s, turn.end_s)
            said = {"s": f"{label}: {shortened(turn.label, 80)}", "k": shortened(turn.kind, 60)}
            told = _when(when, f"first of the {data.span}s that waited ")
            self._add("turns", **said, told=told, more="", **self._across(*when), y=top, y2=below)
            self._name(turn.short, when, top, below)
        self.reached = below

    def _name(self, short: str, when: tuple[float, float], y: float, y2: float) -> None:
        room = (when[1] - when[0]) * self.factor * self.pixels
        text = shortened(short, 12)
        if y2 - y >= _LOWEST_NAMED and room >= _LETTER * len(text) + 4:
            self._add("names", x=rounded((when[0] + when[1]) / 2 * self.factor), y=(y + y2) / 2, told=text)

    def _frame(self, top: int, below: int, until_s: float) -> None:
        self._add("frames", **self._across(0.0, until_s), y=top, y2=below)

    def _across(self, begin_s: float, end_s: float) -> dict[str, float]:
        """What lies before the axis begins is not drawn."""
        return {"x": rounded(max(0.0, begin_s) * self.factor), "x2": rounded(max(0.0, end_s) * self.factor)}

    def _add(self, name: str, **row: Any) -> None:
        self.sets[name].append(
            {key: rounded(value) if isinstance(value, float) else value for key, value in row.items()}
        )


def _row_height(rows: int) -> float:
    """Pixels of one row: room for a number while there are few, and never so little that it can't be seen."""
    return min(18.0, max(5.0, 240 / max(1, rows)))


def _when(when: tuple[float, float], what: str) -> str:
    return f"{what}from {duration(when[0])} to {duration(when[1])}"


@template
def _template() -> Any:
    import altair as alt

    def data(name: str) -> Any:
        return alt.Chart(alt.NamedData(name=name))

    x = alt.X(
        "x:Q",
        title=slot("x"),
        scale=alt.Scale(domain=slot("domain"), nice=False),
        axis=alt.Axis(format=",.6~r", grid=False),
    )
    y = alt.Y("y:Q", scale=alt.Scale(domain=slot("height"), reverse=True, nice=False), axis=None)
    colour = alt.Color("k:N", scale=alt.Scale(domain=slot("kinds")), legend=slot("legend"))
    told = [
        alt.Tooltip(f"{name}:N", title=title)
        for name, title in (("s", "of"), ("k", "kind"), ("told", "when"), ("more", "and"))
    ]
    both = {"x": x, "x2": "x2:Q", "y": y, "y2": "y2:Q"}
    left = alt.value(-6)
    return alt.layer(
        data("frames").mark_rect(style="frame").encode(**both),
        data("levels")
        .mark_area(style="level", interpolate="step-after")
        .encode(x=x, y=y, y2="y2:Q", color=colour, detail="s:N"),
        data("held").mark_rect(style="held").encode(**both, color=colour, tooltip=told),
        data("ran").mark_rect(style="ran").encode(**both, color=colour, tooltip=told),
        data("turns").mark_rect(style="turn").encode(**both, color=colour, tooltip=told),
        data("names").mark_text(style="value", align="center", baseline="middle").encode(x=x, y=y, text="told:N"),
        data("numbers").mark_text(style="caption", align="right", baseline="middle").encode(x=left, y=y, text="told:N"),
        data("titles")
        .mark_text(style="value", align="left", baseline="bottom", fontWeight=600)
        .encode(x=alt.value(0), y=y, text="told:N"),
    )
