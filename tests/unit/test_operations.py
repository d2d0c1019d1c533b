"""What the pages for operators and the secretariat say is what the program knows."""

import re
from pathlib import Path

import click
import pytest

from geniac_pipelines.cli import main
from geniac_pipelines.settings import ROOT

OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = (OPERATIONS, ROOT / "README.md", ROOT / "README.ja.md")
INNER = {"GENIAC_WAREHOUSE", "GENIAC_FAILPOINT"}
"""Set by the night for its own child process; by tests."""


def read_by_the_program() -> set[str]:
    """Variables named in the code, also those put together from GENIAC_ and a part."""
    files = (*(ROOT / "geniac_pipelines").rglob("*.py"), *(ROOT / "resources").rglob("*.py"))
    found = {n for f in files for n in re.findall(r"\"(GENIAC_[A-Z_]*[A-Z])\"", f.read_text())}
    return found - INNER


def commands(page: Path) -> set[tuple[str, ...]]:
    """Each `geniac word …` of a page: its leading words that are no option, name or file."""
    said = re.findall(r"(?<![\w/-])geniac((?: +[a-z][a-z-]*)+)", page.read_text())
    return {tuple(words.split()) for words in said}


def test_every_variable_stands_in_the_table_and_no_other() -> None:
    table = re.findall(r"^\| `(GENIAC_[A-Z_]+)` \|", OPERATIONS.read_text(), re.MULTILINE)
    assert len(table) == len(set(table))
    assert set(table) == read_by_the_program()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    named = {words for words in commands(page) if words[0] in {*main.commands, "findings"}}
    assert named
    for words in named:
        command: click.Command = main
        for word in words:
            if not isinstance(command, click.Group):
                break
            assert word in command.commands, f"{page.name}: geniac {' '.join(words)}"
            command = command.commands[word]


def test_the_page_that_a_message_names_has_that_section() -> None:
    code = (ROOT / "geniac_pipelines" / "summary.py").read_text()
    named = re.search(r"docs/operations.md “(.+?)”", code)
    assert named is not None
    assert f"### {named[1]}" in OPERATIONS.read_text()
