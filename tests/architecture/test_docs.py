"""What the pages say is so: printed pages are fresh, and everything they name is there."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib

import pytest

from shop import cli, worker
from shop.jobs.registry import JOBS
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PLACES = "models|shop|api|admin|storefront|migrations|tests|bench|docs"
PATH = re.compile(rf"(?:{PLACES})(?:/[\w.*-]+)+/?|(?:{PLACES})/|\.[a-z]+\.[a-z]+|[A-Z]\w+\.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(name: str) -> list[str]:
    """Every piece of code on a page, diagrams apart: fenced lines and `spans`."""
    found = [
        line
        for language, block in FENCED.findall(text(name))
        if language != "mermaid"
        for line in block.splitlines()
    ]
    return found + SPAN.findall(FENCED.sub("", text(name)))


def headings(name: str) -> set[str]:
    """The anchors that a page offers, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", text(name)), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.replace("`", "")) for title in titles)
    return {title.strip().lower().replace(" ", "-") for title in plain}


PRINTED = runpy.run_path(str(ROOT / "docs" / "print.py"))["PAGES"]


@pytest.mark.parametrize("name", PRINTED)
def test_printed_pages_are_fresh(name):
    assert PRINTED[name]() == text(f"docs/{name}"), "run: python docs/print.py"


def targets(name: str) -> list[str]:
    """Everything that a page links to or shows, on our side."""
    prose = FENCED.sub("", text(name))
    found = LINK.findall(prose) + re.findall(r'src="([^"]+)"', prose)
    return [target for target in found if not re.match(r"\w+:", target)]


def leads(name: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    page = ROOT / name
    found = (page.parent / path).resolve() if path else page
    inside = found.exists() and ROOT in found.parents
    return inside and (not anchor or anchor in headings(found.relative_to(ROOT).as_posix()))


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    assert [target for target in targets(name) if not leads(name, target)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_named_is_there(name):
    named = {piece for piece in code(name) if PATH.fullmatch(piece)}
    assert {path for path in named if not list(ROOT.glob(path))} == set()


def after(word: str, name: str) -> set[str]:
    """What follows `word` in the code of a page: `make run` -> run."""
    pattern = rf"(?:^|[\s/]){word} ([a-z][a-z-]*)(?![\w=])"
    return {found for piece in code(name) for found in re.findall(pattern, piece)}


TARGETS = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name):
    assert after("make", name) - TARGETS == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_aidmall_command_exists(name):
    assert after("aidmall", name) - set(cli.main.commands) == set()


def settings() -> set[str]:
    """The names that `shop/settings.py` asks the environment for."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(text("shop/settings.py")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def test_the_example_names_every_setting():
    assert len(settings()) > 20
    named = set(re.findall(r"^# ([A-Z][A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert settings() - named == set()


def test_every_setting_that_the_pages_set_is_one():
    known = settings() | {"PYTHON", "PG_BIN"}
    assigned = {
        found
        for name in NAMES
        for piece in code(name)
        for found in re.findall(r"(?<![\w.])([A-Z][A-Z_]{3,})=", piece)
    }
    assert assigned - known == set()


def dependencies() -> set[str]:
    """The distributions that pyproject.toml names, in every group."""
    project = tomllib.loads(text("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {re.split(r"[\[<>=~! ]", one)[0].lower() for group in groups for one in group}


def test_the_page_of_dependencies_has_each_of_them_and_no_other():
    rows = re.findall(r"^\| `([\w.-]+)`", text("docs/dependencies.md"), re.MULTILINE)
    assert sorted(name.lower() for name in rows) == sorted(dependencies())


CONTEXTS = {
    f"shop/{path.parent.name}/"
    for path in (ROOT / "shop").glob("*/__init__.py")
    if path.parent.name not in {"embedded_postgres", "seed", "serve"}
}
"""Folders of `shop/` that are nouns of the trade; the others run and fill the mall."""


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "docs/architecture.md"])
def test_every_context_stands_in_the_table(name):
    assert "shop/ledger/" in CONTEXTS
    listed = re.findall(r"^\| `(shop/\w+/)` \|", text(name), re.MULTILINE)
    assert set(listed) == CONTEXTS


def test_every_context_stands_on_the_map():
    start = "## The map of contexts"
    drawn = text("docs/architecture.md").partition(start)[2].partition("```mermaid")[2]
    words = set(re.findall(r"\w+", drawn.partition("```")[0]))
    assert {name for name in CONTEXTS if name.split("/")[1] not in words} == set()


def test_every_job_that_runs_by_the_clock_is_listed():
    assert worker.HANDLERS
    timers = text("docs/architecture.md").partition("The worker's timers:")[2]
    listed = re.findall(r"^\| `(\w+\.\w+)` \|", timers, re.MULTILINE)
    assert sorted(listed) == sorted(job.name for job in JOBS.values() if job.cron)


ADR = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_gap_and_listed():
    assert [int(path.name[:4]) for path in ADR] == list(range(1, len(ADR) + 1))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text("docs/adr/README.md"))
    assert listed == [path.name for path in ADR]


@pytest.mark.parametrize("path", ADR, ids=lambda path: path.stem)
def test_a_decision_says_what_it_costs(path):
    found = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == ["Context", "Decision", "Costs"]


@pytest.mark.parametrize("name", NAMES)
def test_no_page_speaks_of_one_machine(name):
    assert not re.search(r"(?<![\w.])/(?:root|home|work|Users)/|localhost:\d", text(name))


def test_both_readmes_name_the_same_commands_and_pages():
    each_other = {"README.md", "README.zh.md"}
    for said in (lambda name: set(targets(name)) - each_other, lambda name: after("make", name)):
        assert said("README.zh.md") == said("README.md")


@pytest.mark.parametrize("name", NAMES)
def test_pages_end_with_one_newline(name):
    assert re.search(r"[^\n]\n\Z", text(name))
