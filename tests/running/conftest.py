"""Experiments of small functions, as the tests of this machine have them."""

from __future__ import annotations

from tests.local.conftest import enrolled, location, store

__all__ = ["enrolled", "location", "store"]
