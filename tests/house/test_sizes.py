"""The measure of the code: it may only get stricter."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "syncadmin"
LONGEST_MODULE = 300
LONGEST_ENGINE_MODULE = 200
LONGEST_FUNCTION = 50
MEDIAN_FUNCTION = 8
NINETY_PERCENT = 25
LONGEST_SCRIPT = 150


def modules() -> list[Path]:
    return [path for path in sorted(PRODUCT.rglob("*.py")) if "migrations" not in path.parts]


def functions() -> Iterator[tuple[str, int]]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def too_long(paths: list[Path], limit: int) -> list[str]:
    counted = {path: len(path.read_text().splitlines()) for path in paths}
    return [f"{path.relative_to(ROOT)} has {lines} lines" for path, lines in counted.items() if lines > limit]


def test_no_module_is_too_long() -> None:
    assert too_long(modules(), LONGEST_MODULE) == []


def test_no_engine_module_is_too_long() -> None:
    assert too_long(sorted((PRODUCT / "engine").rglob("*.py")), LONGEST_ENGINE_MODULE) == []


def test_no_function_is_too_long() -> None:
    assert [f"{name} has {lines} lines" for name, lines in functions() if lines > LONGEST_FUNCTION] == []


def test_most_functions_are_short() -> None:
    lengths = sorted(lines for _, lines in functions())
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert lengths[int(len(lengths) * 0.9)] <= NINETY_PERCENT


def test_hand_written_script_is_short() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "static" / "js").glob("*.js"))
    assert lines <= LONGEST_SCRIPT


@pytest.mark.parametrize("name", ["utils", "helpers", "manager", "managers", "base", "common", "misc"])
def test_no_module_is_called_after_nothing(name: str) -> None:
    assert [path for path in modules() if path.stem == name] == []


def test_tasks_are_doors() -> None:
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.parse((PRODUCT / "tasks.py").read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    assert {name for name, lines in lengths.items() if lines > 10} == set()
