"""Figures as static SVG, drawn in Python without a browser."""

from hpo_lab.dashboard.drawing.picture import svg

__all__ = ["svg"]
