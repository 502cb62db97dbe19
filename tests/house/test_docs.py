"""The documents name what there is: commands, variables, settings, causes, kinds; and their links lead somewhere."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from syncadmin.engine.failures import Cause, describe
from syncadmin.engine.verdicts import Held, Rule
from syncadmin.sandbox import faults
from syncadmin.services.roles import Role
from syncadmin.store.kinds import Kind
from syncadmin.store.options import Options
from tests.house import failures_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_ENVIRONMENT = re.compile(
    r"""(?:environ(?:\.get\(|\[)|\benv\.\w+\(\s*|Environment\(\)\.\w+\(|_secret\(|chosen_port\(environ,\s)\s*"([A-Z][A-Z_]+)\""""
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```", re.DOTALL)
# This machine's own folders, and hosts that packages or helper tools come from.
_HERE = re.compile(r"(?<![\w.~-])/(?:work|home|tmp|Users)/")
# Patterns, so that this file does not name a host itself.
_HOSTS = re.compile(
    "|".join((r"py" r"pi\.", r"python.?hosted", r"npm.?js", r"registry" r"\.", r"proxy" r"\.")), re.IGNORECASE
)


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def everything() -> str:
    return "\n".join(text(page) for page in PAGES)


def coded(*pages: str) -> set[str]:
    """What stands between backticks on these pages."""
    return {word for page in pages for word in re.findall(r"`([^`\n]+)`", text(DOCS / page))}


def modules():
    return [path for path in (ROOT / "syncadmin").rglob("*.py") if "sandbox" not in path.parts]


def commands() -> list[str]:
    return sorted(path.stem for path in (ROOT / "syncadmin/management/commands").glob("[a-z]*.py"))


def variables() -> set[str]:
    found = {name for path in modules() for name in _ENVIRONMENT.findall(path.read_text(encoding="utf-8"))}
    found |= set(re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    return found - {"DJANGO_SETTINGS_MODULE"}


def anchors(page: Path) -> set[str]:
    """The places of a page that a link may name, as GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", _CODE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_lists_these_tests_go_by_are_not_empty():
    assert {"sync", "connect", "doctor", "vault"} <= set(commands())
    assert {"DATABASE_URL", "VAULT_KEYS", "PORT", "SYNCADMIN_DATA", "PYTHON", "GIVE_BACK_UNFINISHED"} <= variables()
    assert len(PAGES) > 20


@pytest.mark.parametrize("command", commands())
def test_every_command_is_named(command):
    assert f"manage.py {command}" in everything()


@pytest.mark.parametrize("variable", sorted(variables()))
def test_every_variable_of_the_environment_is_named(variable):
    assert re.search(rf"\b{variable}\b", everything())


def test_every_setting_has_its_row_and_its_default():
    rows = dict(re.findall(r"^\| (`[^|]+`) \|([^|]*)\|", text(DOCS / "settings.md"), re.MULTILINE))
    told: dict[str, str] = {}
    # A row may tell of several settings, with a default for each or one for all.
    for names, defaults in rows.items():
        each = re.findall(r"`(\w+)`", names)
        values = [value.strip(" `") for value in defaults.split(",")]
        told |= dict(zip(each, values if len(values) == len(each) else values * len(each), strict=False))
    real = {field.name: field.default for field in dataclasses.fields(Options)}
    shown = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in real.items()}
    assert {name: value for name, value in told.items() if name in real} == shown


def test_the_catalogue_of_failures_is_complete_and_current():
    assert text(failures_page.PAGE) == failures_page.page()
    assert {str(cause) for cause in Cause} <= coded("failures.md")
    assert all(describe(cause).remedy in text(failures_page.PAGE) for cause in Cause)


@pytest.mark.parametrize(
    ("words", "page"), [(Kind, "behaviour.md"), (Rule, "behaviour.md"), (Held, "behaviour.md"), (Role, "security.md")]
)
def test_every_code_a_person_may_meet_is_explained(words, page):
    assert {str(word) for word in words} - coded(page) == set()


def test_every_trouble_of_the_sandbox_is_explained():
    assert faults.KINDS - coded("sandbox.md") == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    broken = []
    for link in _LINK.findall(_CODE.sub("", text(page))):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _hash, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (place and place not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_this_machine_or_a_registry(page):
    assert _HERE.findall(text(page)) + _HOSTS.findall(text(page)) == []


def test_every_page_can_be_reached_from_the_readme():
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(_CODE.sub("", text(page))) if "://" not in link)
        ahead += [(page.parent / link).resolve() for link in links if link]
    assert set(PAGES) - reached == set()


def test_a_decision_is_a_fact_a_reason_and_a_rule():
    pages = [page for page in DECISIONS.glob("*.md") if page.name != "README.md"]
    assert len(pages) >= 15
    for page in pages:
        headings = re.findall(r"^\*\*(\w+)\.\*\*", text(page), re.MULTILINE)
        assert headings == ["Fact", "Reason", "Rule"], page.name


def test_paths_of_ours_that_pages_name_exist():
    """A module that was moved leaves its old name behind in documents first of all."""
    named = set(re.findall(r"`((?:syncadmin|tests|docs|templates)/[\w./]+\.\w+)`", everything()))
    assert len(named) > 10
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\d+\.\d+\.\d+)$", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"]
    agents = [
        node.value
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"syncadmin/\d", node.value)
    ]
    assert agents == [f"syncadmin/{project['version'].rpartition('.')[0]}"]


def test_pictures_are_small():
    pictures = list((DOCS / "img").glob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size >= 150_000] == []
