from __future__ import annotations

import json

import nbformat
import pytest
from nbformat import v3, v4

from hpo_lab.notebook.document import (
    choose_tune_cell,
    read_notebook,
    tune_cells,
)
from hpo_lab.problems import InvalidInput


def notebook(*sources, **metadata):
    return v4.new_notebook(cells=[v4.new_code_cell(s) for s in sources], metadata=metadata)


def written(tmp_path, nb):
    path = tmp_path / "work.ipynb"
    nbformat.write(nb, path)
    return path


def refusal(call, *arguments):
    with pytest.raises(InvalidInput) as raised:
        call(*arguments)
    (problem,) = raised.value.problems
    return problem


def test_reads_what_nbformat_writes(tmp_path):
    nb = notebook(
        "x = 1",
        "%%tune --maximize x\nx = 2",
        kernelspec={"name": "python3", "display_name": "", "language": "python"},
    )
    assert read_notebook(written(tmp_path, nb)).cells[0].source == "x = 1"


def test_reads_format_3_and_sources_as_lists(tmp_path):
    path = tmp_path / "old.ipynb"
    cell = v3.new_code_cell(input="")
    cell["input"] = ["%%tune\n", "μ = 1\n", "\ty = 2"]
    path.write_text(json.dumps(v3.new_notebook(worksheets=[v3.new_worksheet(cells=[cell])])))
    (cell,) = tune_cells(read_notebook(path))
    assert cell.source == "μ = 1\n\ty = 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "is no notebook"),
        ('{"a": 1}', "is no notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "is no notebook"),
        ('{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}', "is no notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "no code cells"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}', "is no notebook"),
    ],
)
def test_files_that_are_no_notebooks(tmp_path, text, message):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert message in refusal(read_notebook, path).message


def test_a_byte_order_mark_is_no_part_of_the_notebook(tmp_path):
    path = written(tmp_path, notebook("x = 1"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_notebook(path).cells[0].source == "x = 1"


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    written(tmp_path, notebook("x = 1"))
    assert refusal(read_notebook, tmp_path / "wrok.ipynb").message == (
        "no such file; did you mean 'work.ipynb'?"
    )
    assert refusal(read_notebook, tmp_path / "no" / "a.ipynb").message == "no such file"


def test_a_folder_and_a_binary_file(tmp_path):
    assert "cannot be read" in refusal(read_notebook, tmp_path).message
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refusal(read_notebook, tmp_path / "b").message


def test_other_languages(tmp_path):
    nb = notebook("x <- 1", kernelspec={"name": "ir", "display_name": "R", "language": "R"})
    assert "speaks 'R'" in refusal(read_notebook, written(tmp_path, nb)).message


def test_finds_tune_cells_below_blank_lines_and_comments():
    nb = notebook(
        "x = '''\n%%tune\n'''", "\n# mine\n%%tune --trials 3\nlr = 1\n", "%%tuned\n", "%%tune"
    )
    nb.cells.insert(0, v4.new_markdown_cell("%%tune"))
    first, second = tune_cells(nb)
    assert (first.index, first.label, first.magic_line, first.magic_lineno) == (
        2, "cell 3", "--trials 3", 3,
    )  # fmt: skip
    assert first.source == "lr = 1\n"
    assert (second.source, second.magic_line) == ("", "")


def test_windows_line_ends():
    (cell,) = tune_cells(notebook("%%tune --trials 3\r\nlr = 1\r\n"))
    assert (cell.magic_line, cell.source) == ("--trials 3", "lr = 1\n")


def test_earlier_cells_are_code_with_tags():
    nb = notebook("a = 1", "", "%%tune\nb = 1", "c = 1", "%%tune\nd = 1", "e = 1")
    nb.cells.insert(1, v4.new_markdown_cell("text"))
    nb.cells.insert(1, v4.new_raw_cell("text"))
    nb.cells[0].metadata["tags"] = ["tune-keep"]
    second = tune_cells(nb)[1]
    assert [(c.label, c.source) for c in second.earlier] == [
        ("cell 1", "a = 1"),
        ("cell 5", "%%tune\nb = 1"),
        ("cell 6", "c = 1"),
    ]
    earlier = second.earlier
    assert [c.label for c in second.later] == ["cell 8"]
    assert earlier[0].tags == {"tune-keep"}


def test_choosing():
    cells = tune_cells(notebook("x = 1", "%%tune\na = 1", "%%tune\nb = 1"))
    assert choose_tune_cell(cells[:1]) is cells[0]
    assert choose_tune_cell(cells, "3") is cells[1]
    assert choose_tune_cell(cells, cells[0].id) is cells[0]
    assert "# tune: loguniform" in refusal(choose_tune_cell, []).message
    listed = f"2 (id {cells[0].id}), 3 (id {cells[1].id})"
    assert refusal(choose_tune_cell, cells).message.endswith(f"say which: {listed}")
    assert listed in refusal(choose_tune_cell, cells, "1").message
    assert refusal(choose_tune_cell, cells, "9").where == "--cell"


def test_cells_without_ids_cannot_be_chosen_by_an_empty_one():
    nb = notebook("%%tune\na = 1", "%%tune\nb = 1")
    for cell in nb.cells:
        del cell["id"]
    assert "does not start with" in refusal(choose_tune_cell, tune_cells(nb), "").message
