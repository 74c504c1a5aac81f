"""The files of the best trial in the panel; `test_lab.py` follows their links."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hpo_lab.api import Experiments
from hpo_lab.dashboard.links import files_html
from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Artifact, Store
from tests.store_writes import add_artifact

if TYPE_CHECKING:
    from tests.magics.conftest import Record


def test_where_no_server_leads_the_path_is_shown(
    record: Record, store: Store, tmp_path: Path
) -> None:
    uid = record("digits", (TrialState.SUCCEEDED, {"lr": 0.01}, 0.9))
    best = Experiments(store).get(uid).chosen()
    assert files_html(best) == ""

    names = ["notebook.ipynb", "log.txt", "<b>.json", *(f"plot-{n}.png" for n in range(6))]
    for name in names:
        path = tmp_path / name
        path.write_text("{}")
        add_artifact(store, uid, Artifact(name=name, media_type="x", path=path, number=0))
    html = files_html(best)
    assert "Trial 0:" in html and "<a" not in html and "log.txt" not in html
    assert "executed notebook <code" in html and str(tmp_path / "notebook.ipynb") in html
    assert "&lt;b&gt;.json" in html
    assert html.endswith("and 2 more</p>")
