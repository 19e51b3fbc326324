"""Charts as inline SVG: no script, no style attribute, readable to a screen reader.

Pure functions over values. Colours stand as attributes, so that a page without a style sheet
shows them too; the classes (`chart`, `chart-axis`, `chart-s0`, `chart-s1`, …) let one change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from shop.formatting import yuan

COLOURS = ("#0f766e", "#c2410c", "#334155", "#a16207")
"""Dark enough beside white for text-sized shapes, and told apart by the colour-blind."""

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 84, 12, 34, 28
GRID_LINES = 4
MOST_LABELS = 12
"""Months that stand beside each other without touching; of more, every second is written."""

LEGEND_STEP = 200
"""Between the names of two series: on a phone "Direct purchase" is written larger, 165 wide."""

ROW_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 28, 190, 110
LONGEST_LABEL = 14
"""Characters of a bar's label that fit beside it; the whole of it is in its tooltip."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a column chart: its name and an amount in fen for every label.

    `links` are addresses that its columns lead to, one a label where there are any.
    """

    name: str
    values: tuple[int, ...]
    links: tuple[str | None, ...] = ()


def columns(
    name: str, title: str, labels: Sequence[str], series: Sequence[Series], description: str = ""
) -> str:
    """Grouped columns, one group a label (a month), one column a series; amounts in fen.

    `name` is the chart's id on its page. Negative amounts hang below the line of zero.
    """
    scale = _scale([value for one in series for value in one.values])
    step = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    thick = step * 0.8 / max(len(series), 1)
    every = max(-(-len(labels) // MOST_LABELS), 1)
    shapes = [*_grid(scale), *_legend(series)]
    for place, label in enumerate(labels):
        start = LEFT + place * step
        if place % every == 0:
            shapes.append(_text(start + step / 2, HEIGHT - 8, label, "middle"))
        for order, one in enumerate(series):
            value = one.values[place]
            top, bottom = scale.y(max(value, 0)), scale.y(min(value, 0))
            x = start + step * 0.1 + order * thick
            told = f"{label} {one.name} {yuan(value)}"
            link = one.links[place] if one.links and value else None
            column = _rect(x, top, thick * 0.92, bottom - top, order, "" if link else told)
            shapes.append(_linked(column, link, told, x, thick) if link else column)
    # What is a picture to a screen reader has no links in it.
    role = "group" if any(any(one.links) for one in series) else "img"
    return _svg(name, title, description, HEIGHT, shapes, role)


def bars(name: str, title: str, items: Sequence[tuple[str, int]], description: str = "") -> str:
    """Horizontal bars, one a row with its label and amount (fen); none is drawn below zero."""
    most = max([1, *(amount for _, amount in items)])
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    shapes: list[str] = []
    for place, (label, amount) in enumerate(items):
        middle = TOP + place * ROW_HEIGHT + ROW_HEIGHT / 2
        length = room * max(amount, 0) / most
        shown = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
        shapes += [
            _text(LABEL_WIDTH - 8, middle + 4, shown, "end"),
            _rect(LABEL_WIDTH, middle - 9, length, 18, 0, f"{label} {yuan(amount)}"),
            _text(LABEL_WIDTH + length + 6, middle + 4, yuan(amount), "start"),
        ]
    return _svg(name, title, description, TOP + max(len(items), 1) * ROW_HEIGHT + 8, shapes)


@dataclass(frozen=True, slots=True)
class Scale:
    """The lines of the grid: every `step` fen from `low` up to `high`, zero among them."""

    low: int
    high: int
    step: int

    def y(self, value: int) -> float:
        """How far down a value stands."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)


def _scale(values: Sequence[int]) -> Scale:
    """Round steps (1, 2 or 5 with zeros) around all values and zero."""
    top, bottom = max([0, *values]), min([0, *values])
    rough = max((top - bottom) // GRID_LINES, 1)
    unit = 10 ** (len(str(rough)) - 1)
    step = next(unit * nice for nice in (1, 2, 5, 10) if unit * nice >= rough)
    low = bottom // step * step
    return Scale(low, max(-(-top // step) * step, low + step), step)


def _grid(scale: Scale) -> list[str]:
    shapes = []
    for value in range(scale.low, scale.high + 1, scale.step):
        y = scale.y(value)
        colour = "#64748b" if value == 0 else "#e2e8f0"
        shapes.append(
            f'<line class="chart-axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}"'
            f' y2="{y:.1f}" stroke="{colour}"/>'
        )
        shapes.append(_text(LEFT - 6, y + 4, yuan(value).removesuffix(".00"), "end"))
    return shapes


def _legend(series: Sequence[Series]) -> list[str]:
    shapes: list[str] = []
    for order, one in enumerate(series):
        x = LEFT + order * LEGEND_STEP
        shapes.append(_rect(x, 10, 12, 12, order, one.name))
        shapes.append(_text(x + 18, 20, one.name, "start"))
    return shapes


def _rect(x: float, y: float, width: float, height: float, order: int, told: str) -> str:
    return (
        f'<rect class="chart-s{order}" fill="{COLOURS[order % len(COLOURS)]}" x="{x:.1f}"'
        f' y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{_title(told)}</rect>'
    )


def _title(told: str) -> str:
    return f"<title>{escape(told)}</title>" if told else ""


def _linked(column: str, address: str, told: str, x: float, thick: float) -> str:
    """A column that leads on, from anywhere above and below it: a small one could not be hit."""
    return (
        f'<a href="{escape(address)}" aria-label="{escape(told)}">{_title(told)}'
        f'<path d="M{x:.1f} {TOP}h{thick:.1f}V{HEIGHT - BOTTOM}h-{thick:.1f}z" fill="none"'
        f' pointer-events="all"/>{column}</a>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text class="chart-text" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12"'
        f' fill="#334155">{escape(text)}</text>'
    )


def _svg(
    name: str, title: str, description: str, height: int, shapes: Sequence[str], role: str = "img"
) -> str:
    key = escape(name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height}"'
        f' role="{role}" aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description or title)}</desc>{"".join(shapes)}</svg>'
    )
