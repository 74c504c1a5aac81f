"""Every command and every option is listed in the documentation, where it belongs."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hpo_lab.cli import main
from hpo_lab.magics.commands import COMMANDS
from hpo_lab.options import LINE_OPTIONS, OPTIONS

DOCS = Path(__file__).parent.parent.parent / "docs"
EVERYWHERE = {"--store", "--json"}
SHELL = {
    name: command
    for name in main.list_commands(click.Context(main))
    if (command := main.get_command(click.Context(main), name))
}


def rows(page: str) -> list[str]:
    return [line for line in (DOCS / page).read_text().splitlines() if line.startswith("|")]


def rows_of_commands() -> dict[str, list[str]]:
    """By command of `hpo-lab` its row and those of its options, which follow."""
    commands: dict[str, list[str]] = {}
    options: list[str] = []
    for row in rows("cli.md"):
        if heading := re.match(r"\| \*\*`hpo-lab ([a-z-]+)", row):
            options = commands.setdefault(heading[1], [])
        elif not row.startswith("| `-"):
            options = []
        options.append(row)
    return commands


def is_in(text: str, row: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", row) is not None


def options(command: click.Command) -> set[str]:
    parameters = [each for each in command.params if isinstance(each, click.Option)]
    return {flag for each in parameters for flag in each.opts} - EVERYWHERE


@pytest.mark.parametrize("name", SHELL)
def test_a_command_is_listed_with_its_arguments_and_options(name: str) -> None:
    heading, *options_rows = rows_of_commands()[name]
    arguments = [each for each in SHELL[name].params if isinstance(each, click.Argument)]
    forms = [each.metavar or each.human_readable_name for each in arguments]
    assert re.findall(r"[A-Z][A-Z=.]+", heading.split("`")[1]) == forms
    first_cells = " ".join(row.split(" | ")[0] for row in options_rows)
    listed = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", first_cells))
    flags = options(SHELL[name])
    if name == "run":
        # The page refers to the options of `%%tune`, which are listed on that of notebooks.
        tuning = {option.flag for option in OPTIONS}
        assert tuning <= flags
        flags, listed = flags - tuning, listed - tuning
    assert listed == flags


def test_no_other_command_is_listed() -> None:
    assert rows_of_commands().keys() == SHELL.keys()


def test_what_every_command_has_is_listed() -> None:
    for flag in [*EVERYWHERE, "--help"]:
        assert any(is_in(flag, row.split(" | ")[0]) for row in rows("cli.md")), flag
    for name, command in SHELL.items():
        flags = {flag for each in command.params for flag in each.opts}
        assert ("--json" in flags) == (
            name not in ("convert", "report", "suggestion-service", "tensorboard")
        ), name


def test_every_option_of_a_tuned_cell_is_listed() -> None:
    listed = {row.split(" | ")[0].replace("\\|", "|") for row in rows("notebooks.md")}
    forms = [f"{option.flag} {option.form}".rstrip() for option in LINE_OPTIONS]
    assert [form for form in forms if f"| `{form}`" not in listed] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_hpo_is_listed_with_its_options(name: str) -> None:
    command = COMMANDS[name]
    listed = [row for row in rows("notebooks.md") if row.startswith(f"| `%hpo {name}")]
    words = re.sub(r"\[--.*?\]", "", command.form).split()
    assert any(row.startswith(f"| `%hpo {' '.join([name, *words])}") for row in listed)
    flags = command.flags.keys() - {"--store"}
    assert {flag for flag in flags if not any(is_in(flag, row) for row in listed)} == set()


def test_every_room_is_on_the_page_of_the_architecture() -> None:
    names = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (DOCS.parent / "hpo_lab").iterdir()
        # What is built of the sources beside the package is no room.
        if not path.name.startswith("_") and path.name not in ("py.typed", "labextension")
    }
    listed = {
        name for row in rows("architecture.md") for name in re.findall("`(.*?)`", row.split("|")[1])
    }
    assert listed == names
