from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hpo_lab.store import Artifact, ExperimentRecord, Store, open_store
from tests.store_writes import add_artifact

NOTEBOOK = "application/x-ipynb+json"


def test_content(store: Store, experiment: ExperimentRecord) -> None:
    content = bytes(range(256)) * 10
    add_artifact(
        store, experiment.uid, Artifact(name="source.ipynb", media_type=NOTEBOOK, content=content)
    )
    one = store.artifact(experiment.uid, "source.ipynb")
    assert one is not None
    assert one.read() == content
    assert (one.size, one.sha256) == (2560, hashlib.sha256(content).hexdigest())
    (listed,) = store.artifacts(experiment.uid)
    assert (listed.name, listed.media_type, listed.content) == ("source.ipynb", NOTEBOOK, None)
    with pytest.raises(ValueError, match="listed without its content"):
        listed.read()


def test_trial_and_experiment_have_names_of_their_own(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid = experiment.uid
    for number, content in [(None, b"all"), (0, b"0"), (1, b"1"), (None, b"new"), (1, b"new 1")]:
        add_artifact(
            store,
            uid,
            Artifact(name="log", media_type="text/plain", content=content, number=number),
        )
    read = {
        number: one.content
        for number in (None, 0, 1, 2)
        if (one := store.artifact(uid, "log", number))
    }
    assert read == {None: b"new", 0: b"0", 1: b"new 1"}
    assert len(store.artifacts(uid)) == 3
    assert [one.number for one in store.artifacts(uid, 1)] == [1]


def test_a_path_in_the_folder_moves_with_the_store(
    tmp_path: Path, experiment: ExperimentRecord, store: Store
) -> None:
    uid = experiment.uid
    inside = store.folder(uid) / "0.ipynb"
    inside.parent.mkdir(parents=True)
    inside.write_text("{}")
    outside = tmp_path / "train.log"
    outside.write_text("epoch 1")
    for path in (inside, outside):
        add_artifact(
            store, uid, Artifact(name=path.name, media_type="text/plain", path=path, number=0)
        )
    store.files = tmp_path / "moved"
    records = {one.name: one for one in store.artifacts(uid, 0)}
    assert records["0.ipynb"].path == tmp_path / "moved" / uid / "0.ipynb"
    assert records["0.ipynb"].size == 2
    assert records["train.log"].path == outside
    assert records["train.log"].read() == b"epoch 1"


def test_a_missing_file_is_an_error(store: Store, experiment: ExperimentRecord) -> None:
    with pytest.raises(FileNotFoundError):
        add_artifact(
            store, experiment.uid, Artifact(name="a", media_type="text/plain", path=Path("/none"))
        )
    with pytest.raises(ValueError, match="either content or path"):
        Artifact(name="a", media_type="text/plain")


def test_an_existing_store_keeps_its_folder(tmp_path: Path) -> None:
    assert open_store(tmp_path / "a.db").files == tmp_path / "a.trials"
