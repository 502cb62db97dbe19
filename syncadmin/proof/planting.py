"""Plants one bug in the product's own code for a while: the source of a function, changed in one place and compiled.

The code object of the function is exchanged, so whoever imported it before runs the changed code as well.
"""

from __future__ import annotations
import __future__

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType


@dataclass(frozen=True, slots=True)
class Bug:
    """``old`` becomes ``new`` in ``function`` of ``module``. ``name`` says what it does to people who have it.

    ``seed`` is one whose schedule caught it: where a short form begins to look.
    """

    name: str
    floor: str
    module: str
    function: str
    old: str
    new: str
    seed: int = 1


class DoesNotApply(Exception):
    """The code has changed so that this bug can no longer be planted: it has to be written anew."""


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The product has this bug in the block. Raises ``DoesNotApply``."""
    target = _function(bug)
    sound = target.__code__
    target.__code__ = _changed(bug, target)
    try:
        yield
    finally:
        target.__code__ = sound


def _function(bug: Bug) -> FunctionType:
    found: object = importlib.import_module(bug.module)
    for name in bug.function.split("."):
        found = inspect.getattr_static(found, name, None)
    found = getattr(found, "__func__", found)
    # Decorated functions are reached through what the decorator keeps of them.
    found = inspect.unwrap(found) if callable(found) else found
    if not isinstance(found, FunctionType):
        raise DoesNotApply(f"{bug.name}: there is no function {bug.function} in {bug.module}")
    return found


def _changed(bug: Bug, target: FunctionType) -> CodeType:
    source = textwrap.dedent(inspect.getsource(target))
    if source.count(bug.old) != 1 or bug.old == bug.new:
        raise DoesNotApply(f"{bug.name}: {bug.function} of {bug.module} does not say {bug.old!r} once")
    flags = __future__.annotations.compiler_flag
    whole = compile(source.replace(bug.old, bug.new), target.__code__.co_filename, "exec", flags, dont_inherit=True)
    code = next(each for each in whole.co_consts if isinstance(each, CodeType) and each.co_name == target.__name__)
    if code.co_freevars != target.__code__.co_freevars:
        raise DoesNotApply(f"{bug.name}: {bug.function} of {bug.module} belongs to another function now")
    return code
