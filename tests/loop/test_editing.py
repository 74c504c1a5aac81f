"""The ways to edit and run again: the table of docs/edit-and-run-again.md, row by row, and more."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.facade.experiments import Experiments
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_file, prepare_notebook, runs_here
from hpo_lab.problems import InvalidInput
from hpo_lab.store import ExperimentRecord, Store
from tests.store_writes import set_document

from .conftest import EARLIER, TUNED, Run
from .manifests import MANIFEST


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param((f"# squares\n{EARLIER}  # a square\n\n", TUNED), id="comment"),
        pytest.param(("def f(x): return (x*x)", TUNED.replace("f(lr)", "f( lr )")), id="format"),
        pytest.param(("print('hello')", EARLIER, TUNED), id="print"),
        pytest.param(
            (f"{EARLIER}\nprint('f is', f)", f"{TUNED}\nprint(f'{{acc:.3f}}')"), id="shows"
        ),
        pytest.param((EARLIER.replace("Square", "The square"), TUNED), id="docstring"),
        pytest.param(("def f(x):\n    y: int = x\n    return x * x", TUNED), id="local"),
        pytest.param((EARLIER, EARLIER, TUNED.replace("0.1", "0.2")), id="default"),
    ],
)
def test_another_form_of_the_same_code_continues(run: Run, cells: tuple[str, ...]) -> None:
    first = run("def f(x):\n    y = x\n    return x * x", TUNED) if "y: int" in cells[0] else run()
    again = run(*cells)
    assert (again.uid, again.how) == (first.uid, "continued")
    assert again.said == "svm continues after 0 trials"


@pytest.mark.parametrize(
    "cells, line, said",
    [
        pytest.param(
            (EARLIER, TUNED.replace("1e-4", "1e-5")),
            "",
            "cell 2, line 2: lr is loguniform(1e-5, 1) now, loguniform(1e-4, 1) before",
            id="bound",
        ),
        pytest.param(
            (EARLIER, TUNED.replace("f(lr)", "f(lr) + 1")),
            "",
            "cell 2, line 3: `acc = f(lr) + 1` now, `acc = f(lr)` before",
            id="code",
        ),
        pytest.param(
            (EARLIER.replace("x * x", "x + x"), TUNED),
            "",
            "cell 1, line 3: `return x + x` now, `return x * x` before",
            id="earlier cell",
        ),
        pytest.param(
            (EARLIER, f"n = 3  # tune: int(1, 9)\n{TUNED}"),
            "--seed 3",
            "cell 2, line 2: n is new: int(1, 9); --seed: 3 now, not set before",
            id="parameter",
        ),
        pytest.param(
            (EARLIER, "%%time\n" + TUNED), "", "cell 2, line 2: `%%time` is new", id="magic"
        ),
    ],
)
def test_a_change_starts_a_revision_and_says_what_and_where(
    run: Run, cells: tuple[str, ...], line: str, said: str
) -> None:
    first = run()
    second = run(*cells, line=line)
    assert (second.name, second.how) == ("svm-2", "created")
    assert second.said == (
        f"svm-2 is new: {said}. The trials of svm are taken along by --warm-start svm"
    )
    assert run().uid == first.uid, "an edit that is taken back returns to its trials"
    assert run(*cells, line=line).uid == second.uid


@pytest.mark.parametrize(
    ("cells", "brief"),
    [
        ((EARLIER, f"{TUNED}\napi_token = 'hush{{}}'"), 'line 4: `api_token = "•••"` has changed'),
        (
            (EARLIER, f"{TUNED}\nmore = dict(\n    token='hush{{}}',\n)"),
            'line 5: `token="•••",` has changed',
        ),
        ((EARLIER, f"{TUNED}\n%env API_TOKEN=hush{{}}"), "`%env API_TOKEN=•••` has changed"),
        (
            ("%%bash --out text\nTOKEN=hush{} train", EARLIER, f"{TUNED}\nmore = text"),
            "`TOKEN=••• train` has changed",
        ),
    ],
)
def test_a_difference_shows_no_secrets(
    run: Run, store: Store, cells: tuple[str, ...], brief: str
) -> None:
    def cells_of(number: int) -> list[str]:
        return [cell.replace("hush{}", f"hush{number}") for cell in cells]

    run(*cells_of(1))
    second = run(*cells_of(2))
    assert brief in second.said and "hush" not in second.said
    assert "hush" not in str(store.conditions(second.uid))
    run(*cells_of(1), line="--name mine")
    with pytest.raises(InvalidInput, match="has changed\n") as caught:
        run(*cells_of(2), line="--name mine")
    assert "hush" not in str(caught.value) and "+ " in str(caught.value)


def test_secrets_in_the_messages_of_an_earlier_version_are_not_shown(
    run: Run, store: Store
) -> None:
    uid = run().uid
    said = "svm-2 is new: cell 1, line 3: `api_token = 'hush2'` now, `api_token = 'hush1'` before"
    store.set_condition(uid, "Created", "Revision", said)
    for message in (store.conditions(uid)[-1].message, Experiments(store).get(uid).record.message):
        assert "hush" not in message and '`api_token = "•••"` now' in message


def test_a_revision_is_compared_with_the_nearest_not_with_the_latest(run: Run) -> None:
    run()
    run(EARLIER.replace("x * x", "x + x"), TUNED.replace("1e-4", "1e-5"))
    latest = run(EARLIER.replace("x * x", "x - x"), TUNED.replace("1e-4", "1e-3"))
    assert latest.name == "svm-3"
    said = run(EARLIER.replace("x * x", "x + x"), TUNED.replace("1e-4", "1e-6")).said
    assert said == (
        "svm-4 is new: cell 2, line 2: lr is loguniform(1e-6, 1) now, loguniform(1e-5, 1) before. "
        "The trials of svm-2 are taken along by --warm-start svm-2"
    )


def test_what_is_certainly_of_the_cell_comes_before_what_may_be(run: Run) -> None:
    run()
    likely = run(EARLIER.replace("x * x", "x + x"), TUNED, is_named=False)
    assert likely.name == "svm-2"
    said = run(EARLIER.replace("x * x", "x + x"), TUNED.replace("1e-4", "1e-6")).said
    assert said.endswith("The trials of svm are taken along by --warm-start svm")


def test_another_objective_offers_no_trials(run: Run) -> None:
    run()
    said = run(EARLIER, f"%%tune minimize acc\n{TUNED}").said
    assert said == "svm-2 is new: cell 2: the objective is minimize acc now, maximize acc before"


def test_a_renamed_notebook_continues(run: Run, tmp_path: Path) -> None:
    first = run()
    (tmp_path / "work" / "svm.ipynb").rename(tmp_path / "work" / "forest.ipynb")
    assert run(notebook="forest").uid == first.uid
    (tmp_path / "work" / "svm.ipynb").unlink(missing_ok=True)
    assert run(EARLIER, TUNED + " * 2", notebook="forest").name == "svm-2"


def test_a_copy_of_a_notebook_that_is_changed_is_another(run: Run) -> None:
    run()
    assert run(EARLIER, TUNED + " * 2", notebook="copy").name == "copy"


def test_a_moved_folder_continues_and_another_folder_does_not(run: Run, tmp_path: Path) -> None:
    first = run()
    elsewhere = run(folder="elsewhere")
    assert (elsewhere.name, elsewhere.how) == ("svm", "created")
    (tmp_path / "work").rename(tmp_path / "moved")
    moved = run(folder="moved")
    assert (moved.uid, moved.how) == (first.uid, "continued")
    assert moved.project == os.path.realpath(tmp_path / "moved")
    said = f"svm has moved from {first.project} to {moved.project}. svm continues after 0 trials"
    assert moved.said == said


def test_what_lost_its_folder_is_not_taken_over_where_its_name_is_in_use(
    run: Run, tmp_path: Path
) -> None:
    first = run(folder="old")
    run(EARLIER, TUNED + " * 2", folder="new")
    (tmp_path / "old").rename(tmp_path / "gone")
    again = run(folder="new")
    assert (again.name, again.how) == ("svm-2", "created")
    assert again.uid != first.uid


def test_two_cells_of_a_notebook_have_experiments_of_their_own(run: Run) -> None:
    other = "%%tune minimize loss\nw = 1.0  # tune: uniform(0, 1)\nloss = w"
    third = "%%tune minimize loss\nv = 1.0  # tune: uniform(0, 1)\nloss = v"
    names = [
        run(EARLIER, TUNED, ids="ab").name,
        run(other, ids="c").name,
        run(third, ids="d").name,
        run(EARLIER, TUNED + " * 2", ids="ab").name,
        run(other.replace("(0, 1)", "(0, 2)"), ids="c").name,
        run(EARLIER, TUNED, ids="ab").name,
    ]
    assert names == ["svm", "svm-loss", "svm-loss-2", "svm-2", "svm-loss-3", "svm"]


def test_a_cell_whose_id_changed_is_known_by_what_it_searches(run: Run) -> None:
    first = run()

    assert run(EARLIER, TUNED, ids="hijklmn").uid == first.uid
    assert run(EARLIER, TUNED.replace("1e-4", "1e-5"), ids="opqrstu").name == "svm-2"


def test_a_chosen_name_is_refused_with_the_differences_and_the_ways_on(
    run: Run, store: Store
) -> None:
    run(line="--name mine")
    with pytest.raises(InvalidInput) as caught:
        run(
            EARLIER.replace("return x * x", "y = x\n    return x * y"),
            TUNED.replace("1e-4", "1e-5"),
            line="--name mine --algorithm random",
        )
    assert str(caught.value).splitlines() == [
        "'mine' is another experiment, recorded with 0 trials:",
        "  cell 2, line 2: lr is loguniform(1e-5, 1) now, loguniform(1e-4, 1) before",
        "  --algorithm: random now, tpe before",
        "  cell 1, line 3: has changed",
        "      -     return x * x",
        "      +     y = x",
        "      +     return x * y",
        "Three ways on:",
        "  --fresh                               deletes it and starts anew",
        "  another --name                        leaves it as it is",
        "  another --name and --warm-start mine  leaves it, and learns from its trials",
    ]
    assert len(store.experiments()) == 1


def test_fresh_replaces_what_has_the_name_or_is_of_the_cell(run: Run, store: Store) -> None:
    first = run(line="--name mine")
    second = run(EARLIER, TUNED + " * 2", line="--name mine", fresh=True)
    assert second.name == "mine"
    assert second.said == "It replaces mine and its 0 trials"
    assert store.experiment_by_uid(first.uid) is None

    unnamed = run()
    again = run(EARLIER, TUNED + " * 2", fresh=True)
    assert (again.name, again.how) == ("svm", "created")
    assert store.experiment_by_uid(unnamed.uid) is None
    assert run(fresh=True).how == "created"
    assert sorted(each.name for each in store.experiments()) == ["mine", "svm"]


def test_fresh_replaces_nothing_that_may_be_of_another_notebook(run: Run, store: Store) -> None:
    churn = run(notebook="churn")
    fraud = run(EARLIER, TUNED + " * 2", is_named=False, fresh=True)
    assert (fraud.how, fraud.uid != churn.uid) == ("created", True)
    assert store.experiment_by_uid(churn.uid) is not None
    again = run(EARLIER, TUNED + " * 2", is_named=False, fresh=True)
    assert again.name == fraud.name and store.experiment_by_uid(fraud.uid) is None


def test_what_cannot_be_created_replaces_nothing(run: Run, store: Store) -> None:
    first = run(line="--name mine")
    with pytest.raises(InvalidInput, match="no such experiment"):
        run(line="--name mine --warm-start none", fresh=True)
    assert store.experiment_by_uid(first.uid) is not None


def test_what_fails_to_be_created_replaces_nothing(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(line="--name mine")
    kept = store.folder(first.uid) / "kept"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch()

    def fail(*arguments: object) -> None:
        raise OSError("disk full")

    for room, name in (("experiments", "create"), ("artifacts", "put")):
        with monkeypatch.context() as patch:
            patch.setattr(f"hpo_lab.store.{room}.{name}", fail)
            with pytest.raises(OSError, match="disk full"):
                run(line="--name mine", fresh=True)
        assert store.experiment_by_uid(first.uid) is not None and kept.exists()
    assert run(line="--name mine", fresh=True).uid != first.uid
    assert store.experiment_by_uid(first.uid) is None and not kept.exists()


def test_fresh_replaces_nothing_that_another_process_has_just_begun(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(line="--name mine")
    prepared = prepare_notebook(tmp_path / "work" / "svm.ipynb", TuneOptions())
    create, begun = Store.create_experiment, []

    def late(self: Store, *arguments: Any, **options: Any) -> ExperimentRecord:
        if not begun:
            begun.append(create(self, *arguments, **options))
        return create(self, *arguments, **options)

    monkeypatch.setattr(Store, "create_experiment", late)
    again = enrol_prepared(store, prepared, fresh=True).record
    assert again.uid == begun[0].uid
    assert [each.uid for each in store.experiments()] == [again.uid]


def test_an_experiment_of_an_earlier_version_goes_on(run: Run, store: Store) -> None:
    first = run(line="--seed 3")
    record = store.experiment_by_uid(first.uid)
    assert record is not None
    document = record.document.to_document()
    document["spec"]["trialTemplate"]["trialSpec"]["spec"]["source"] = "sha256:of the text"
    set_document(store, first.uid, record.document.model_validate(document))
    store.move(first.uid, "", None)

    changed = run(EARLIER, TUNED + " * 2", line="--seed 3")
    assert changed.name == "svm-2", "a name of an earlier version is not given again"
    again = run(f"{EARLIER}  # the same", TUNED, line="--seed 3")
    assert (again.uid, again.how) == (first.uid, "continued")
    assert again.project.endswith("work")


def test_an_experiment_of_an_earlier_version_is_here_where_its_trials_worked(
    run: Run, store: Store, tmp_path: Path
) -> None:
    here, there = run(line="--name mine"), run(folder="there", line="--name theirs")
    store.move(here.uid, "", None)
    store.move(there.uid, "", None)
    with pytest.raises(InvalidInput, match="'mine' is another experiment") as caught:
        run(EARLIER, TUNED + " * 2", line="--name mine")
    assert str(caught.value).count("--fresh") == 1

    beside = run(EARLIER, TUNED + " * 2", line="--name theirs")
    assert beside.how == "created" and beside.uid != there.uid
    assert run(line="--name theirs", folder="third").how == "created"
    again = run(line="--name mine")
    assert (again.uid, again.how) == (here.uid, "continued")
    assert again.project == os.path.realpath(tmp_path / "work")
    taken = f"mine, recorded before projects, is taken into {again.project}"
    assert again.said == f"{taken}. mine continues after 0 trials"

    (tmp_path / "there").rename(tmp_path / "moved")
    assert run(folder="moved", line="--name theirs").uid == there.uid


def test_a_manifest_of_an_earlier_version_is_here_unless_it_says_another_folder(
    store: Store, tmp_path: Path
) -> None:
    document = yaml.safe_load(MANIFEST)
    path = tmp_path / "work" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(document))
    first = enrol_prepared(store, replace(_of(path), project="")).record
    with pytest.raises(InvalidInput, match="'printed' is another experiment"):
        enrol_prepared(store, _of(path, seed=3))
    assert enrol_prepared(store, _of(path)).record.uid == first.uid

    other = tmp_path / "other" / "mine.yaml"
    other.parent.mkdir()
    other.write_text(yaml.safe_dump(document))
    store.move(first.uid, "", None)
    again = enrol_prepared(store, _of(other, seed=3))
    assert again.how == "created" and again.record.uid != first.uid


def _of(path: Path, **options: Any) -> Prepared:
    return runs_here(prepare_file(path, TuneOptions(**options), None))


def test_names_are_those_of_this_project_first(run: Run, store: Store, tmp_path: Path) -> None:
    here, there = run(), run(folder="there")
    only = run(folder="there", line="--name only")

    def find(name: str, folder: str) -> str:
        return Experiments(store, os.path.realpath(tmp_path / folder)).find(name).uid

    assert find("svm", "work") == here.uid
    assert find("svm", "there") == there.uid
    assert find("only", "work") == only.uid
    with pytest.raises(InvalidInput, match=r"several projects have one.*there, .*work") as caught:
        find("svm", "nowhere")
    assert json.dumps([each.where for each in caught.value.problems]) == '["svm"]'


def test_a_list_is_of_this_project_and_of_none(run: Run, store: Store, tmp_path: Path) -> None:
    here, there = run(), run(folder="there")
    store.move(run(line="--name free").uid, "", None)
    experiments = Experiments(store, os.path.realpath(tmp_path / "work"))
    assert {each.uid for each in experiments.list(everywhere=False)} == {
        here.uid,
        *(each.uid for each in store.experiments() if not each.project),
    }
    assert there.uid in {each.uid for each in experiments.list()}


def test_bounds_that_are_written_differently_are_the_same(run: Run) -> None:
    first = run(EARLIER, TUNED.replace("1e-4, 1)", "1e-2, 1e3)"))
    again = run(EARLIER, TUNED.replace("1e-4, 1)", "0.01, 1000)"))
    assert (again.uid, again.how) == (first.uid, "continued")
    assert again.said == "svm continues after 0 trials"


def test_values_that_are_equal_in_python_are_told_apart(run: Run) -> None:
    run(EARLIER, TUNED.replace("loguniform(1e-4, 1)", "choice(0.1, 1)"))
    said = run(EARLIER, TUNED.replace("loguniform(1e-4, 1)", "choice(0.1, 1.0)")).said
    assert said.startswith(
        "svm-2 is new: cell 2, line 2: lr is choice(0.1, 1.0) now, choice(0.1, 1)"
    )


def test_a_module_beside_the_notebook_that_is_imported_or_run_counts(
    run: Run, tmp_path: Path
) -> None:
    helper, prepares = tmp_path / "work" / "helper.py", tmp_path / "work" / "prep.py"
    helper.parent.mkdir()
    helper.write_text("k = 1\ndef f(x): return x * k")
    prepares.write_text("import deeper\nif __name__ == '__main__':\n    q = 1")
    helper.with_name("deeper.py").write_text("d = 1")
    cells = ("from helper import f", "%run prep.py", TUNED + " + q")
    assert run(*cells).name == "svm"
    helper.write_text("k = 1  # a comment\n\ndef f(x):\n    return x * k")
    assert run(*cells).how == "continued"
    helper.write_text("k = 100\ndef f(x): return x * k")
    said = run(*cells).said
    assert said.startswith("svm-2 is new: helper.py: k: 1 is 100 now. The trials of svm")
    helper.write_text("k = 1\ndef f(x): return x + k")
    assert "helper.py: f() changed." in run(*cells).said
    prepares.write_text("import deeper\nif __name__ == '__main__':\n    q = 2")
    assert "prep.py: changed." in run(*cells).said
    helper.with_name("deeper.py").write_text("d = 2")
    assert "deeper.py: d: 1 is 2 now" in run(*cells).said
    helper.with_name("unrelated.py").write_text("d = 2")
    assert run(*cells).how == "continued"


def test_a_notebook_of_an_earlier_version_continues_without_its_modules(
    run: Run, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    cells = ("from helper import f", TUNED)
    first = run(*cells)
    (tmp_path / "work" / "helper.py").write_text("def f(x): return x")
    again = run(*cells)
    assert (again.uid, again.how) == (first.uid, "continued")
    (tmp_path / "work" / "helper.py").write_text("def f(x): return x * 2")
    assert run(*cells).name == "svm-2"


def test_what_is_away_is_not_taken_over_by_another_notebook(run: Run, tmp_path: Path) -> None:
    first = run(folder="old")
    (tmp_path / "old").rename(tmp_path / "away")
    other = run(folder="other", ids="xyz")
    assert (other.name, other.how) == ("svm", "created")
    old = os.path.realpath(tmp_path / "old")
    assert other.said == f"svm of {old}, which is not here, is another: hpo-lab list --all"
    (tmp_path / "away").rename(tmp_path / "old")
    assert run(folder="old").uid == first.uid
