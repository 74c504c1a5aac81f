"""The elements of an SVG: paths, rectangles and words, each with its colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape, unescape

from hpo_lab.dashboard.drawing.style import colour, style
from hpo_lab.dashboard.figures.theme import GROUND, INK, INK2
from hpo_lab.dashboard.figures.wording import amount

__all__ = ["Canvas", "number", "text_width"]

_TAG = re.compile(r"(<[^>]*>)")
_COLOUR = re.compile(r"color:\s*([^;\"']+)")
_ANCHORS = {"left": "", "center": "middle", "right": "end"}
# Characters that no XML document may hold.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def number(value: float) -> str:
    """A coordinate with one decimal at most."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def text_width(text: str, size: float = 11) -> float:
    """About how many pixels wide *text* is."""
    narrow = sum(character in "iljtf.,:;|!' ()[]" for character in text)
    wide = sum(character in "mwMW—…" or ord(character) > 0x2E7F for character in text)
    return size * (0.56 * len(text) - 0.26 * narrow + 0.3 * wide)


def fit(text: str) -> str:
    """*text* as it may stand in a document."""
    return escape(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", text))


class Canvas:
    """Collects elements from the ground to the top.

    Attributes:
        hidden: How many markers are not drawn since there are too many to be told apart.
    """

    def __init__(self, width: int, height: int, scheme: str) -> None:
        """A canvas of *width* by *height* pixels, in the colours of *scheme*, as `svg` takes it."""
        self.width, self.height = width, height
        self._scheme = scheme
        self._pieces: list[str] = []
        self.hidden = 0
        self._classes: set[str] = {"f-ink2", "f-bg"}

    def _paint(self, more: str = "", **colours: str) -> str:
        """Attributes and class for `fill` and `stroke`."""
        attributes, classes = [], [more] if more else []
        for property, name in colours.items():
            attribute, name = colour(property, name, self._scheme)
            attributes.append(attribute)
            if name:
                self._classes.add(name)
                classes.append(name)
        named = f' class="{" ".join(classes)}"' if classes else ""
        return " ".join(attributes) + named

    def path(
        self,
        d: str,
        *,
        fill: str = "none",
        stroke: str = "",
        width: float = 1,
        dash: str = "",
        opacity: float = 1,
        round_caps: bool = False,
    ) -> None:
        """A path; an empty one is left out."""
        if not d:
            return
        colours = {"fill": fill} | ({"stroke": stroke} if stroke else {})
        more = f' stroke-width="{number(width)}"' if stroke and width != 1 else ""
        more += f' stroke-dasharray="{dash}"' if dash else ""
        more += ' stroke-linecap="round"' if round_caps else ""
        more += f' opacity="{opacity:g}"' if opacity != 1 else ""
        self._pieces.append(f'<path d="{d}" {self._paint(**colours)}{more}/>')

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, opacity: float = 1
    ) -> None:
        """A filled rectangle."""
        more = f' opacity="{opacity:g}"' if opacity != 1 else ""
        self._pieces.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(0.0, width))}" '
            f'height="{number(max(0.0, height))}" {self._paint(fill=fill)}{more}/>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "left",
        size: float = 11,
        fill: str = INK2,
        code: bool = False,
        halo: bool = False,
    ) -> None:
        """Words with the tags that plotly knows: `<b>`, `<br>`, and `<span>` with a colour.

        Args:
            x: Where they are.
            y: Their ground line; that of the first line.
            text: The words.
            anchor: `left`, `center` or `right`.
            size: In pixels.
            fill: Their colour.
            code: Whether they are in the font of code.
            halo: Whether they stand out from lines behind them.
        """
        for place, line in enumerate(re.split("<br */?>", text)):
            body, weight = self._spans(line)
            if not body:
                continue
            where = _ANCHORS[anchor]
            attributes = f'x="{number(x)}" y="{number(y + place * 1.35 * size)}"'
            attributes += f' text-anchor="{where}"' if where else ""
            attributes += f' font-size="{size:g}"' if size != 11 else ""
            attributes += ' font-weight="600"' if weight else ""
            attributes += ' font-family="monospace"' if code else ""
            names = " ".join([*(["code"] if code else []), *(["halo"] if halo else [])])
            colours = {"fill": fill} | ({"stroke": GROUND} if halo else {})
            if halo:
                # Where there is no style sheet the stroke would cover the letters.
                attributes += ' paint-order="stroke" stroke-width="3"'
            self._pieces.append(f"<text {attributes} {self._paint(names, **colours)}>{body}</text>")

    def _spans(self, line: str) -> tuple[str, bool]:
        """A line as the content of a text element, and whether all of it is bold."""
        pieces: list[str] = []
        bold, fills = False, [""]
        styled: list[tuple[str, bool, str]] = []
        for part in _TAG.split(line):
            match part:
                case "<b>":
                    bold = True
                case "</b>":
                    bold = False
                case "</span>":
                    fills = fills[:-1] or [""]
                case _ if part.startswith("<span"):
                    named = _COLOUR.search(part)
                    fills.append(named[1] if named else fills[-1])
                case _ if part and not _TAG.fullmatch(part):
                    styled.append((unescape(part), bold, fills[-1]))
        whole = bool(styled) and all(bold for _, bold, _ in styled)
        for words, is_bold, fill in styled:
            attributes = ' font-weight="600"' if is_bold and not whole else ""
            attributes += f" {self._paint(fill=fill)}" if fill else ""
            body = fit(words)
            pieces.append(f"<tspan{attributes}>{body}</tspan>" if attributes else body)
        return "".join(pieces).strip(), whole

    def open_window(self, x: float, y: float, width: float, height: float) -> None:
        """What follows is cut at the edges of a window, until it is closed."""
        box = f"{number(x)} {number(y)} {number(width)} {number(height)}"
        self._pieces.append(
            f'<svg x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}" viewBox="{box}">'
        )

    def close_window(self) -> None:
        """The end of a window; an empty one disappears."""
        if self._pieces[-1].startswith("<svg "):
            self._pieces.pop()
        else:
            self._pieces.append("</svg>")

    def document(self, title: str, text: str) -> str:
        """All of it as an SVG, with its title and what it shows in words."""
        ground = f'<rect width="100%" height="100%" {self._paint("hpo-ground", fill=GROUND)}/>'
        root = self._paint("hpo-pic", fill=INK2)
        if self.hidden:
            text += f" Of the marks {amount(self.hidden)} are not in this picture."
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {root} font-family="Arial,sans-serif" '
            f'font-size="11" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-label="{fit(title)}">'
            f"<title>{fit(title)}</title><desc>{fit(text)}</desc>"
            f"{style(self._classes, self._scheme)}{ground}{''.join(self._pieces)}</svg>"
        )

    def heading(self, title: str, subtitle: str) -> None:
        """The title, and behind it the subtitle, cut where there is no room."""
        room = self.width - 16
        shown = _cut(title, room, 13)
        rest = room - text_width(shown, 13) * 1.08 - 12
        beside = _cut(subtitle, rest, 11) if subtitle and rest > 60 else ""
        ink, ink2 = self._paint(fill=INK), self._paint(fill=INK2)
        span = (
            f'<tspan dx="10" font-size="11" font-weight="400" {ink2}>{fit(beside)}</tspan>'
            if beside
            else ""
        )
        self._pieces.append(
            f'<text x="8" y="20" font-size="13" font-weight="600" {ink}>{fit(shown)}{span}</text>'
        )


def _cut(text: str, room: float, size: float) -> str:
    if text_width(text, size) <= room:
        return text
    while text and text_width(text, size) > room - size:
        text = text[:-1]
    return f"{text.rstrip()}…"


def line_path(points: Iterable[tuple[float, float]]) -> str:
    """The path through *points*, the first absolute, the others relative to their forerunners."""
    pieces: list[str] = []
    before: tuple[float, float] | None = None
    for x, y in points:
        x, y = round(x, 1), round(y, 1)
        if before is None:
            pieces.append(f"M{number(x)} {number(y)}")
        elif (x, y) != before:
            step = f"{number(x - before[0])} {number(y - before[1])}"
            pieces.append(f"l{step}")
        else:
            continue
        before = x, y
    if len(pieces) == 1:
        pieces.append("h0")
    return "".join(pieces)
