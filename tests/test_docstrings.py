"""What is public says what it is: read from the source, nothing is imported.

What these tests cannot see: whether a docstring is true; what a function lets through that others raise; numbers that
stand in a dataclass, a tuple or an `int`, whose names alone tell the unit; whether a source that is named says what the
formula does. A command's docstring is its help, which tells exit codes in place of `Raises:`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PERFDB = Path(__file__).resolve().parents[1] / "perfdb"
Function = ast.FunctionDef | ast.AsyncFunctionDef
# A name that ends so tells its unit: `wait_s`, `ended_at`, `tasks_per_s`, `idle_share`; a p is a probability.
UNIT_OF_A_NAME = re.compile(
    r"(^|_)(s|ns|ms|us|at|kb|mb|gib|bytes|hours|count|nodes|cores|hosts|ratio|share|seconds|percent|p|ps|confidence)$"
)
# A docstring that holds one of these tells it: a unit; a number that has none; or that it is the one of what is given.
UNIT_IN_WORDS = re.compile(
    r"(?i)\b(seconds?|milliseconds?|minutes?|bytes|nodes|cores|hosts|percent|per cent|share|ratios?|index|quantile|factor|"
    r"delta|pixels|dimensionless|probability|p|values?|value's|unit|number)\b|%|\b1\b"
)
# Formulas and where they come from.
SOURCES = {
    "compare/changes.py": ("Killick", "Marriott", "Student"),
    "compare/median.py": ("order statistics",),
    "compare/stability.py": ("pyperf",),
    "compare/statistics.py": ("Mann", "Whitney", "Cliff", "Hodges", "Benjamini"),
    "families/autoscale/analysis/batch.py": ("Student",),
    "families/quantile.py": ("Hyndman",),
    "families/scaling/analysis/distribution.py": ("Pearson",),
    "families/scaling/analysis/fieller.py": ("Fieller", "Satterthwaite"),
    "families/scaling/analysis/usl.py": ("Gunther",),
    "families/scaling/clients/merge.py": ("Little",),
    "families/schedulers/measures/fairness.py": ("Jain",),
    "families/schedulers/measures/spans.py": ("Feitelson",),
    "families/schedulers/simulator/policies/easy.py": ("Lifka",),
    "families/schedulers/workload/arrivals.py": ("Ross",),
    "families/schedulers/workload/swf.py": ("Feitelson",),
    "minislurm/policy/reservation.py": ("Lifka",),
}


@dataclass(frozen=True)
class Public:
    """A public function or class, and where it stands."""

    module: str
    name: str
    node: Function | ast.ClassDef
    bases: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Its docstring; empty without one."""
        return ast.get_docstring(self.node) or ""

    def __str__(self) -> str:
        return f"perfdb/{self.module}:{self.node.lineno} {self.name}"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of perfdb, by its path there."""
    paths = sorted(path for path in PERFDB.rglob("*.py"))
    return {str(path.relative_to(PERFDB)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def public(module: str, node: ast.AST, prefix: str = "", bases: tuple[str, ...] = ()) -> Iterator[Public]:
    """What is public in a module or class: no leading underscore, in nothing that has one, in no function."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.If, ast.Try)):
            yield from public(module, each, prefix, bases)
        elif isinstance(each, (Function, ast.ClassDef)) and not each.name.startswith("_"):
            yield Public(module, prefix + each.name, each, bases)
            if isinstance(each, ast.ClassDef):
                names = tuple(ast.unparse(base).split("[")[0].split(".")[-1] for base in each.bases)
                yield from public(module, each, f"{each.name}.", names)


@cache
def everything() -> tuple[Public, ...]:
    """All that is public."""
    return tuple(found for module, tree in modules().items() for found in public(module, tree))


@cache
def docstrings() -> dict[str, str]:
    """Of each `Class.method` that has one."""
    return {each.name: each.said for each in everything() if each.said}


def said_of(each: Public) -> str:
    """Its docstring, or that of the method which it overrides, as Python's own `help` shows it."""
    inherited = (docstrings().get(f"{base}.{each.node.name}", "") for base in each.bases)
    return each.said or next(filter(None, inherited), "")


def functions() -> Iterator[tuple[Public, Function]]:
    """Functions and methods."""
    for each in everything():
        if isinstance(each.node, Function):
            yield each, each.node


def is_command(each: Public) -> bool:
    """Whether its docstring is the help of a command."""
    return each.module.startswith("cli/") and "Examples:" in each.said


def test_every_public_module_class_function_and_method_has_a_docstring() -> None:
    bare = [f"perfdb/{module}" for module, tree in modules().items() if not ast.get_docstring(tree)]
    assert len(everything()) > 2000
    assert bare + [str(each) for each in everything() if not said_of(each)] == []


def test_programs_beside_perfdb_have_them_too() -> None:
    folders = ("deploy", "docs", "benchmarks", "examples", "parsl-configs")
    files = [
        *PERFDB.parent.glob("*.py"),
        *(file for folder in folders for file in (PERFDB.parent / folder).rglob("*.py")),
    ]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    bare = [str(file) for file, tree in trees.items() if not ast.get_docstring(tree)]
    assert len(files) > 25
    assert (
        bare + [f"{file}: {each.name}" for file, tree in trees.items() for each in public("", tree) if not each.said]
        == []
    )


def _has_float(annotation: ast.expr | None) -> bool:
    return annotation is not None and re.search(r"\bfloat\b", ast.unparse(annotation)) is not None


def test_a_function_of_numbers_tells_their_unit_in_a_name_or_in_its_docstring() -> None:
    silent = []
    for each, node in functions():
        if is_command(each) or UNIT_IN_WORDS.search(said_of(each)):
            continue
        numbers = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs) if _has_float(arg.annotation)]
        numbers += (
            [node.name] if node.returns is not None and ast.unparse(node.returns) in ("float", "float | None") else []
        )
        silent += [f"{each}: {name}" for name in numbers if not UNIT_OF_A_NAME.search(name)]
    assert silent == []


@cache
def errors() -> dict[str, set[str]]:
    """The exceptions of perfdb/errors.py, each with what it is besides."""
    found: dict[str, set[str]] = {}
    for node in modules()["errors.py"].body:
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            found[node.name] = {node.name}.union(*(found.get(base, set()) for base in bases))
    return {name: kinds for name, kinds in found.items() if "PerfdbError" in kinds}


def _raised(node: ast.AST) -> Iterator[str]:
    """The names that a function raises itself, not what it defines within."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.Raise) and each.exc is not None:
            raised = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
            yield ast.unparse(raised).split(".")[-1]
        if not isinstance(each, (Function, ast.Lambda, ast.ClassDef)):
            yield from _raised(each)


def test_a_function_that_raises_one_of_our_errors_names_it_or_what_it_is_a_kind_of() -> None:
    untold = []
    for each, node in functions():
        if is_command(each):
            continue
        for name in sorted(set(_raised(node)) & errors().keys()):
            if not any(re.search(rf"\b{kind}\b", said_of(each)) for kind in errors()[name]):
                untold.append(f"{each}: {name}")
    assert {"UsageError", "RecordError"} <= errors().keys()
    assert untold == []


def test_what_computes_with_statistics_made_by_others_is_among_those_that_name_a_source() -> None:
    texts = {module: (PERFDB / module).read_text(encoding="utf-8") for module in modules()}
    assert {
        name for name, text in texts.items() if re.search(r"^ *from (scipy|ruptures)\b", text, re.M)
    } <= SOURCES.keys()


@pytest.mark.parametrize("module", SOURCES)
def test_a_formula_names_its_source(module: str) -> None:
    told = " ".join(
        ast.get_docstring(node) or ""
        for node in ast.walk(modules()[module])
        if isinstance(node, (Function, ast.ClassDef, ast.Module))
    )
    assert [word for word in SOURCES[module] if word not in told] == []
