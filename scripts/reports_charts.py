"""Charts of reports: bars and columns as SVG within the page, in French, told apart in grey.

Each has its figures in a table beside it, so that nothing is said by a picture alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from base.french import NBSP, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Ink and patterns, so different in lightness that a grey print tells them apart.
FILLS = (
    ("#17483f", ""),
    ("#d9c9a3", "///"),
    ("#7fa89d", "..."),
    ("#f6f2e7", "xxx"),
    ("#4a5752", "\\\\\\"),
)
_INK = "#22302c"
#: Inches, of a page of 7 within its margins.
_WIDE, _LINE = 7.0, 0.27
_LONGEST = 46
#: Characters of labels beyond which each stands on two lines.
_TIGHT = 75
#: Columns that the width is for, at least: fewer stay as narrow.
_FEWEST = 8
#: Its keys are matplotlib's own.
_STYLE: dict[Any, object] = {
    # Text stays text: it can be searched, read aloud, and shown in the page's own font.
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": _INK,
    "axes.edgecolor": "#75807b",
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "hatch.linewidth": 0.6,
    # « 12 $ à 15 $ » is a price, and no formula.
    "text.parse_math": False,
}


def bars(key: str, rows: Sequence[tuple[str, int]], *, alt: str) -> Markup:
    """One horizontal bar a row, the first on top, each with its number; "" without rows.

    `key` makes the ids of the picture its own within the page, `alt` says what it shows.
    """
    if not rows:
        return Markup()

    def draw(axes: Axes) -> None:
        labels = [_cut(label) for label, _ in rows]
        drawn = axes.barh(range(len(rows)), [n for _, n in rows], color=FILLS[0][0], height=0.68)
        axes.bar_label(drawn, labels=[thousands(n) for _, n in rows], padding=3)
        axes.set_yticks(range(len(rows)), labels)
        axes.invert_yaxis()
        axes.margins(x=0.12, y=0.01)
        axes.xaxis.set_visible(False)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(length=0)

    return _picture(key, draw, height=0.25 + _LINE * len(rows), alt=alt)


def columns(
    key: str, labels: Sequence[str], series: Mapping[str, Sequence[int]], *, alt: str
) -> Markup:
    """One column a label, of the series one upon the other; a legend where there are several."""
    shown = _few({name: values for name, values in series.items() if any(values)})
    if not labels or not shown:
        return Markup()

    def draw(axes: Axes) -> None:
        base = [0] * len(labels)
        for (name, values), (fill, hatch) in zip(shown.items(), FILLS, strict=False):
            drawn = axes.bar(range(len(labels)), values, bottom=base, label=name, width=0.72)
            for column in drawn:
                column.set(facecolor=fill, edgecolor=_INK, linewidth=0.5, hatch=hatch)
            base = [below + more for below, more in zip(base, values, strict=True)]
        for place, total in enumerate(base):
            axes.annotate(thousands(total), (place, total), (0, 2), textcoords="offset points",
                          ha="center", fontsize=8)  # fmt: skip
        tight = len(labels) * max(map(len, labels)) > _TIGHT
        ticks = [label.replace(NBSP, "\n") if tight else label for label in labels]
        axes.set_xticks(range(len(labels)), ticks, fontsize=7 if tight else 9)
        axes.margins(y=0.12)
        axes.set_xlim(-0.6, max(len(labels), _FEWEST) - 0.4)
        axes.yaxis.set_visible(False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        if len(shown) > 1:
            axes.legend(
                loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=len(shown), frameon=False
            )

    return _picture(key, draw, height=2.1, alt=alt)


def _few(series: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Those series, the smallest put together where there are more than can be told apart."""
    if len(series) <= len(FILLS):
        return dict(series)
    most = sorted(series, key=lambda name: -sum(series[name]))[: len(FILLS) - 1]
    rest = zip(*(values for name, values in series.items() if name not in most), strict=True)
    kept: dict[str, Sequence[int]] = {name: series[name] for name in series if name in most}
    return kept | {"autres": [sum(values) for values in rest]}


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1].rstrip()}…"


def _picture(key: str, draw: Callable[[Axes], None], *, height: float, alt: str) -> Markup:
    # Loading it takes a second, which commands without a picture are spared.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context({**_STYLE, "svg.hashsalt": key}):
        figure = Figure(figsize=(_WIDE, height), layout="constrained")
        draw(figure.subplots())
        return _svg(figure, key, alt)


def _svg(figure: Figure, key: str, alt: str) -> Markup:
    made = io.StringIO()
    # Without a date or a version the same figures give the same bytes.
    figure.savefig(made, format="svg", transparent=True, metadata=_NO_METADATA)
    picture = made.getvalue()
    picture = picture[picture.index("<svg") :]
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture, flags=re.DOTALL)
    # Ids are the page's, and it may hold several pictures.
    picture = re.sub(r'\bid="', f'id="{key}-', picture)
    picture = re.sub(r"url\(#", f"url(#{key}-", picture)
    picture = re.sub(r'href="#', f'href="#{key}-', picture)
    label = f'<svg role="img" aria-label="{escape(alt)}"'
    return Markup(picture.replace("<svg", label, 1))  # noqa: S704, drawn above from escaped text


_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
