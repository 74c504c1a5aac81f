"""The extension of Jupyter Server: experiments over REST, and their changes as events.

`routes` says which address answers what; `openapi.yaml` describes the same for programs. An
answer is a function from a request to plain data, called in a thread, so that no database and
no figure holds up the server.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter Server finds the extension."""
    from hpo_lab.server.extension import HpoLab

    return [{"module": "hpo_lab.server", "app": HpoLab}]
