"""A page that is a file of its own: no network, no scripts, light and dark, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.html import cut, style
from hpo_lab.dashboard.pictures import WIDTHS
from hpo_lab.masking import masked

__all__ = ["drawn", "figure_html", "page", "part"]

_STYLE = (
    "body{margin:0;background:light-dark(#fff,#111)}:root{color-scheme:light dark}"
    ".hpo.hpo{max-width:1000px;margin:0 auto;padding:var(--hpo-s4)}"
    ".hpo.hpo h1{font-size:var(--hpo-t4);font-weight:600;margin:0 0 var(--hpo-s3)}"
    ".hpo.hpo h2{font-size:var(--hpo-t3);font-weight:600;margin:var(--hpo-s5) 0 var(--hpo-s2);"
    "padding-top:var(--hpo-s2);border-top:1px solid var(--hpo-line)}"
    ".hpo.hpo figure{margin:0;min-width:0;max-width:100%}"
    ".hpo.hpo figcaption{font-size:var(--hpo-t1);color:var(--hpo-ink2);margin:2px 8px 0}"
    ".hpo.hpo pre{margin:var(--hpo-s2) 0 0;padding:var(--hpo-s2) var(--hpo-s3);overflow-x:auto;"
    "background:var(--hpo-tint);font:var(--hpo-t2)/1.5 var(--hpo-code)}"
    ".hpo.hpo .hpo-close table{min-width:0}.hpo.hpo .hpo-close :is(th,td)+*{padding-left:32px}"
    ".hpo.hpo .hpo-facts th{text-align:left;vertical-align:baseline;padding-right:12px;"
    "border-top:1px solid var(--hpo-line)}"
    "@media print{:root,.hpo.hpo{color-scheme:light}.hpo.hpo{max-width:none;padding:0}"
    ".hpo.hpo .hpo-scroll{overflow:visible}.hpo.hpo pre{white-space:pre-wrap}"
    ".hpo.hpo figure,.hpo.hpo tr,.hpo.hpo .hpo-note{break-inside:avoid}"
    ".hpo.hpo h2{break-after:avoid}.hpo.hpo *{print-color-adjust:exact}}"
)
_WIDTHS = {name: WIDTHS[name] for name in ("history", "pareto", "importances")}
"""Those that stand beside each other; the others have a row of their own."""
_NAMESPACE = re.compile(' xmlns="[^"]*"')


def page(title: str, *pieces: str) -> str:
    """The whole document, without the passwords of addresses in it.

    Args:
        title: What it is of.
        pieces: What is on it, as HTML.
    """
    return masked(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none';style-src 'unsafe-inline'\">"
        f"<title>{cut(title, 200)}</title><style>{style()}{_STYLE}</style></head>"
        f'<body><main class="hpo hpo-out">{"".join(pieces)}</main></body></html>\n'
    )


def part(title: str, *pieces: str) -> str:
    """A part of the page with its heading; nothing where there is nothing in it."""
    content = "".join(pieces)
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def figure_html(figure: figures.Figure) -> str:
    """*figure* as a picture in the page, with what there is to see in words."""
    picture = _NAMESPACE.sub("", svg(figure))
    said = f"<figcaption>{cut(figure.text, 1000)}</figcaption>"
    return f'<figure style="flex:0 1 {figure.width}px">{picture}{said}</figure>'


def drawn(data: figures.ExperimentData, names: Iterable[str]) -> list[str]:
    """The figures of these *names* that have something to show, as HTML."""
    pieces = []
    for name in names:
        if not figures.is_of_use(name, data):
            continue
        try:
            figure = figures.draw(name, data)
        except Exception as error:
            # It may be that of another package, and the rest of the page is worth as much.
            why = cut(f"{type(error).__name__}: {error}", 400)
            pieces.append(f'<p class="q sm">{cut(name, 60)} cannot be drawn: {why}</p>')
            continue
        if figure.traces:
            pieces.append(figure_html(replace(figure, width=_WIDTHS.get(name, figure.width))))
    return pieces
