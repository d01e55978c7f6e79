"""The rooms of the design, as tests: who imports whom, what pure rooms may not hold, what must be documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pg_bridge import telemetry
from pg_bridge.cli.main import app
from pg_bridge.cli.world import read_mappings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pg_bridge"
PURE = ("formats", "link", "profiles", "mapping", "exchange")
MODULES = sorted(PACKAGE.rglob("*.py"))
README = (ROOT / "README.md").read_text("utf-8")


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert 0 == result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_never_wait(room: str) -> None:
    waiting = [
        f"{path.name}:{node.lineno}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        if path.name != "ports.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]

    assert [] == waiting


def test_ports_hold_signatures_only() -> None:
    tree = ast.parse((PACKAGE / "exchange/ports.py").read_text("utf-8"))
    bodies = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in node.body)
    ]

    assert [] == bodies


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_look_at_no_clock_and_open_nothing(room: str) -> None:
    looks = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("open", "print", "datetime.now", "date.today", "datetime.utcnow", "input")
    ]

    assert [] == looks


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modules_stay_small(path: Path) -> None:
    assert 440 >= len(path.read_text("utf-8").splitlines())


def test_no_name_or_code_of_either_side_in_python() -> None:
    """Member names, templates, qualifiers and codes of the mappings stand in no string of the product."""
    files = read_mappings()
    names: set[str] = set(re.findall(r'^\w+ = "([a-z]+[A-Z]\w+)"$', files["ocp/profile.toml"], re.MULTILINE))
    names |= set(re.findall(r"^(\d{6}) = ", files["ocp/profile.toml"], re.MULTILINE))
    names |= {path.split("/")[-1].removesuffix(".toml") for path in files if path.startswith("legacy/templates/")}
    names |= {"SEME", "RELA", "PREV", "IPRC", "MTCH", "NMAT", "REJT", "PACK", "NEWM", "PREA", "LGON", "LGOF", "ACKN"}
    names |= {"recordErrorCode", "siNumber", "participantReference"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value!r}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    ]

    assert [] == found


def test_no_room_without_its_card() -> None:
    bare = [
        room.name
        for room in sorted(PACKAGE.iterdir())
        if room.is_dir()
        and (room / "__init__.py").exists()
        and "Read first:" not in (room / "__init__.py").read_text("utf-8")
    ]

    assert [] == bare


def every_verb(group: typer.Typer = app, name: str = "") -> list[tuple[str, typer.models.CommandInfo]]:
    """Every verb, of groups within groups too, as it is typed."""
    verbs = [(f"{name} {command.name}".strip(), command) for command in group.registered_commands]
    for inner in group.registered_groups:
        verbs += every_verb(inner.typer_instance, f"{name} {inner.name}".strip())
    return verbs


def test_every_verb_is_in_the_readme() -> None:
    assert [] == [verb for verb, _ in every_verb() if f"pg-bridge {verb}" not in README]


def test_every_verb_has_help_with_an_example_and_json() -> None:
    commands = [command for _, command in every_verb()]
    wanting = [
        command.name
        for command in commands
        if "Example:" not in (command.callback.__doc__ or "") or "json" not in command.callback.__annotations__
    ]

    assert [] == wanting


def test_every_log_event_is_in_the_list() -> None:
    logged = {
        node.args[0].value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("info", "warning", "error", "critical")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    assert set() == logged - telemetry.EVENTS


def test_every_error_code_is_of_one_class() -> None:
    codes = re.findall(r'code = "(PGB-[A-Z]+-\d+)"', (PACKAGE / "errors.py").read_text("utf-8"))

    assert sorted(set(codes)) == sorted(codes)


def test_every_mapping_entry_says_where_it_is_from() -> None:
    silent = [
        path
        for path, text in read_mappings().items()
        if path.endswith(".toml") and not path.endswith(".cases.toml") and not path.startswith("samples/")
        if "source = " not in text
    ]

    assert [] == silent
