"""The style of an SVG: colours by class, light or dark as the page or the system says."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_lab.dashboard.figures.theme import CODE_FONT, FONT, TOKENS

__all__ = ["colour", "style"]

_LIGHT, _DARK, _CONTRAST = range(3)
_PLAIN = {"dark": _DARK, "contrast": _CONTRAST}


def colour(property: str, name: str, scheme: str) -> tuple[str, str]:
    """The attribute and the class that give *property*, `fill` or `stroke`, the colour *name*.

    The attribute is for programs that know no style sheets: light, unless *scheme* is another
    theme. What is no name of the theme is a colour itself and needs no class.
    """
    if name not in TOKENS:
        return f'{property}="{name}"', ""
    place = _PLAIN.get(scheme, _LIGHT)
    return f'{property}="{TOKENS[name][place]}"', f"{property[0]}-{name.removeprefix('--hpo-')}"


def style(classes: Iterable[str], scheme: str) -> str:
    """The style element for a picture that uses *classes*.

    A colour is that of the page, where the page has the variables of hpo_lab, else that of the
    theme. Everything hangs on `light-dark()`: what does not know it takes the attributes.

    Args:
        classes: The classes, such as `f-blue`.
        scheme: The `color-scheme` of the picture where it is a file: `light dark` follows who
            shows it. With `contrast` the colours are those of that theme in any case.
    """
    names = sorted(classes)
    tokens = sorted({name.partition("-")[2] for name in names})
    values = {name: TOKENS[f"--hpo-{name}"] for name in tokens}
    rules = "".join(
        f".{name}{{{'fill' if name[0] == 'f' else 'stroke'}:var(--p-{name[2:]})}}" for name in names
    )
    is_fixed = scheme == "contrast"
    scheme = "dark" if is_fixed else scheme
    pairs = "".join(
        f"--p-{name}:{each[_CONTRAST]};"
        if is_fixed
        else f"--p-{name}:var(--hpo-{name},light-dark({each[_LIGHT]},{each[_DARK]}));"
        for name, each in values.items()
    )
    ink = "--p-ink2:var(--p-ink);" if "ink" in values and "ink2" in values else ""
    line = "--p-line:var(--p-ink3);" if "ink3" in values and "line" in values else ""
    more = f"@media(prefers-contrast:more){{.hpo-pic{{{ink}{line}}}}}" if ink or line else ""
    return (
        "<style>@supports(color:light-dark(red,red)){"
        f"svg.hpo-pic:root{{color-scheme:{scheme}}}.hpo-pic{{{pairs}}}{rules}"
        f".hpo-ground{{fill:none}}svg:root>.hpo-ground{{fill:var(--p-bg)}}{more}}}"
        f".hpo-pic text{{font-family:var(--hpo-font,{FONT});font-variant-numeric:tabular-nums}}"
        f".hpo-pic .code{{font-family:var(--hpo-code,{CODE_FONT})}}"
        ".hpo-pic .halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}</style>"
    )
