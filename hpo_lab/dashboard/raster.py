"""An SVG in pixels, by resvg: a library of 1.4 MB without further packages and without a browser.

Of the other ways, kaleido needs a Chrome and skia-python is ten times as large; CairoSVG needs a
library of the system.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from hpo_lab.problems import InvalidInput, Problem

__all__ = ["png"]

_SCALE = 2
_STYLE = re.compile("<style>.*?</style>", re.DOTALL)
_FAMILIES = {
    '"Arial,sans-serif"': "\"Arial,Helvetica,'Liberation Sans','DejaVu Sans','Noto Sans',"
    "'Segoe UI',sans-serif\"",
    '"monospace"': "\"Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono','Noto Sans Mono',"
    'monospace"',
}
_WORD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9" font-size="9" '
    'font-family="Arial,sans-serif">{}</text></svg>'
)


def png(picture: str) -> bytes:
    """*picture*, an SVG of `drawing.svg`, with two pixels for each of its own.

    Raises:
        InvalidInput: resvg is not installed, or this machine has no fonts.
    """
    if find_spec("resvg_py") is None:
        raise _lacking("needs resvg-py, which is not here; install hpo_lab[plot]")
    if _drawn(_WORD.format("x")) == _drawn(_WORD.format(" ")):
        raise _lacking("needs a font such as DejaVu Sans, and this machine has none")
    return _drawn(picture)


def _drawn(picture: str) -> bytes:
    from resvg_py import svg_to_bytes

    # resvg knows no variables: the attributes have the colours. It has no font of its own either,
    # and takes the first of a list that the machine has.
    picture = _STYLE.sub("", picture)
    for family, families in _FAMILIES.items():
        picture = picture.replace(f"font-family={family}", f"font-family={families}")
    return bytes(svg_to_bytes(svg_string=picture, zoom=_SCALE))


def _lacking(what: str) -> InvalidInput:
    return InvalidInput([Problem(".png", f"{what}; .svg needs nothing")])
