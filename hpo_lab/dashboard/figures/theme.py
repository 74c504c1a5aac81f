"""The colours of figures by name, and what they are in each theme, as a template of plotly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = [
    "BLUE",
    "BROWN",
    "CODE_FONT",
    "FONT",
    "GOLD",
    "GOLD_INK",
    "GREEN",
    "GROUND",
    "INK",
    "INK2",
    "INK3",
    "LINE",
    "PURPLE",
    "RAMP",
    "RED",
    "SERIES",
    "THEMES",
    "TINT",
    "TOKENS",
    "colourscale",
    "resolved",
    "template",
]

BLUE: Final = "--hpo-blue"
GOLD: Final = "--hpo-gold"
GOLD_INK: Final = "--hpo-gold-ink"
PURPLE: Final = "--hpo-purple"
RED: Final = "--hpo-red"
BROWN: Final = "--hpo-brown"
GREEN: Final = "--hpo-green"
INK: Final = "--hpo-ink"
INK2: Final = "--hpo-ink2"
INK3: Final = "--hpo-ink3"
LINE: Final = "--hpo-line"
TINT: Final = "--hpo-tint"
GROUND: Final = "--hpo-bg"

THEMES: Final = ("light", "dark", "contrast")
"""The names of the themes; `contrast` is white on black with colours that are brighter."""

_RAMPS = (
    "#D6DEE6 #BDD0E0 #A4C3D9 #87B3D2 #6AA3CB #4D93C3 #3082B9 #1C71AD #14619D #0D518C #104077 "
    "#122F63",
    "#38424C #385163 #375F7A #3A7194 #3D84AE #4598C5 #51ABD9 #66BEE8 #88CFEE #AADEEF #CEEADC "
    "#F2F6C9",
    "#4A5A6A #4B6A82 #4A7A9A #4C8BB2 #4D9CC8 #58AEDC #6ABFEC #80CDF4 #9CDAF6 #B8E6F5 #D8F0E4 "
    "#FFFFD0",
)
_SERIES = (
    "#0072B2 #C06A00 #006349 #A04E83 #3A9AD9 #8A2B00 #4C5200 #2E333A",
    "#56B4E9 #F5B13D #2BB089 #D987BA #A8DCF7 #E0673A #F4F1B0 #E4E8EC",
    "#6CC4FF #FFC14D #40E0B0 #F5B5DF #C0E8FF #FF8A5C #FFFFC0 #FFFFFF",
)
RAMP: Final = tuple(f"--hpo-q{place}" for place in range(1, 13))
"""From the worst to the best, which stands out most from the ground."""
SERIES: Final = tuple(f"--hpo-c{place}" for place in range(1, 9))

TOKENS: Mapping[str, tuple[str, ...]] = {
    BLUE: ("#0072B2", "#56B4E9", "#6CC4FF"),
    GOLD: ("#E69F00", "#FFC23D", "#FFD23D"),
    GOLD_INK: ("#845600", "#FFCB66", "#FFE08A"),
    PURPLE: ("#A04E83", "#E29CC8", "#F5B5DF"),
    RED: ("#BF4600", "#FF8F5E", "#FFA27A"),
    BROWN: ("#7A7166", "#BFB5A6", "#DDD3C4"),
    GREEN: ("#006349", "#2BB089", "#40E0B0"),
    INK: ("#212121", "#E4E4E4", "#FFFFFF"),
    INK2: ("#575757", "#B0B0B0", "#FFFFFF"),
    INK3: ("#8C8C8C", "#7C7C7C", "#C8C8C8"),
    LINE: ("#E3E3E3", "#34363A", "#6A6A6A"),
    TINT: ("#F3F4F5", "#1E2023", "#1A1A1A"),
    GROUND: ("#FFFFFF", "#111111", "#000000"),
    **dict(zip(RAMP, zip(*map(str.split, _RAMPS), strict=True), strict=True)),
    **dict(zip(SERIES, zip(*map(str.split, _SERIES), strict=True), strict=True)),
}
"""Each colour by theme, in the order of `THEMES`."""

FONT: Final = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Arial, sans-serif"
CODE_FONT: Final = "Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_MARK = "--hpo-"
_NAME = re.compile("|".join(sorted(TOKENS, key=len, reverse=True)))
_CLEAR = "rgba(0,0,0,0)"


def resolved(value: Any, theme: str) -> Any:
    """Plain data in which each name of a colour is replaced by the colour in *theme*."""
    place = THEMES.index(theme)

    def walk(value: Any) -> Any:
        match value:
            case str():
                return (
                    _NAME.sub(lambda name: TOKENS[name[0]][place], value)
                    if _MARK in value
                    else value
                )
            case dict():
                return {key: walk(each) for key, each in value.items()}
            case list() if value and isinstance(value[-1], int | float | None):
                # A column of numbers, of which there are many.
                return value
            case list() | tuple():
                return [walk(each) for each in value]
        return value

    return walk(value)


def colourscale() -> list[list[Any]]:
    """The ramp as a colour scale of plotly, from the worst to the best."""
    return [[round(place / 11, 4), name] for place, name in enumerate(RAMP)]


def template(kinds: Iterable[str] = ()) -> dict[str, Any]:
    """The template of plotly with the names of colours.

    Args:
        kinds: The types of the traces that it is for; those without a default are left out.
    """
    small = {"size": 11, "color": INK2}
    axis = {
        "gridcolor": LINE,
        "gridwidth": 1,
        "zeroline": False,
        "automargin": True,
        "tickfont": small,
        "title": {"font": {"size": 12, "color": INK}, "standoff": 8},
        "exponentformat": "e",
        "minexponent": 5,
        "hoverformat": ".4~g",
    }
    line = {"linecolor": INK3, "linewidth": 1, "ticklen": 4, "tickcolor": INK3}
    dots = {"marker": {"size": 7, "opacity": 0.75, "line": {"width": 0}}, "line": {"width": 2}}
    bar = {"thickness": 10, "outlinewidth": 0, "len": 0.6, "tickfont": small}
    field = {"colorscale": colourscale(), "colorbar": bar}
    code = {"family": CODE_FONT, "size": 11, "color": INK}
    defaults: dict[str, dict[str, Any]] = {
        "scatter": dots,
        "bar": {"marker": {"color": BLUE, "line": {"width": 0}}, "textfont": small},
        "heatmap": field,
        "parcoords": {
            "labelfont": code,
            "tickfont": small,
            "rangefont": small,
            "unselected": {"line": {"color": INK3, "opacity": 0.08}},
        },
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 12, "color": INK},
            "title": {
                "font": {"size": 13, "color": INK},
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 10, "l": 8},
            },
            "paper_bgcolor": _CLEAR,
            "plot_bgcolor": _CLEAR,
            "colorway": list(SERIES),
            "hovermode": "closest",
            "hoverdistance": 24,
            "hoverlabel": {
                "bgcolor": GROUND,
                "bordercolor": INK3,
                "font": {"family": FONT, "size": 12, "color": INK},
                "align": "left",
                "namelength": -1,
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "xref": "container",
                "y": 0,
                "yanchor": "bottom",
                "yref": "container",
                "font": small,
                "bgcolor": _CLEAR,
                "itemsizing": "trace",
            },
            "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside", **line},
            "yaxis": {**axis, "showgrid": True, "showline": False, "ticks": ""},
            "bargap": 0.28,
            "barcornerradius": 2,
            "separators": ". ",
            "modebar": {"bgcolor": _CLEAR, "color": INK3, "activecolor": BLUE, "orientation": "v"},
            "annotationdefaults": {"font": small, "showarrow": False},
            "shapedefaults": {"line": {"color": INK3, "width": 1}},
        },
        "data": {
            kind: [{"type": kind, **defaults[kind]}]
            for kind in dict.fromkeys(kinds)
            if kind in defaults
        },
    }
