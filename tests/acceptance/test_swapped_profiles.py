"""Another OCP, another PG, or both: the whole trading day by data alone, and no name of them in the product."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pg_bridge.mapping.checks.check import check
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE
from tests.doubles.mapping_files import shipped
from tests.doubles.mapping_sets import SETS, set_files, write_set

ROOT = Path(__file__).parents[2]
OTHERS = [name for name, folders in SETS.items() if folders]


@pytest.mark.parametrize("set_name", OTHERS)
def test_the_trading_day_passes(set_name: str, tmp_path: Path) -> None:
    """The pretend OCP, the bridge and both PSSs, as processes; every mapping case is run before."""
    done = _run("demo", "--once", "--json", "--mappings", write_set(set_name, tmp_path))

    assert [] == check({path: text for path, text in set_files(set_name).items() if path != "messages.toml"})
    day = json.loads(done.stdout)
    assert [] == [step["missing"] for step in day["steps"] if step["missing"]]
    assert day["good"]
    assert 0 == done.returncode


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_bridge", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_the_other_sides_are_really_other() -> None:
    """No path, header or template is shared; of OCP's members hardly any."""
    ours, theirs = shipped(), set_files("both_b")
    paths = re.compile(r'path = "(/[^"]+)"')
    headers = re.compile(r'"(X-[^"]+)"')

    for pattern in (paths, headers):
        found = set(pattern.findall(ours[PROFILE_FILE])), set(pattern.findall(theirs[PROFILE_FILE]))
        assert set() == found[0] & found[1]
        assert all(found)
    assert set() == set(read_legacy_profile(ours).templates) & set(read_legacy_profile(theirs).templates)
    shared = _members(ours[OPENAPI_FILE]) & _members(theirs[OPENAPI_FILE])
    assert 8 >= len(shared), shared


def _members(openapi: str) -> set[str]:
    keys = set(re.findall(r"\b(\w+): \{(?:type|\$ref)", openapi))
    return {key for key in keys if key not in ("schema", "items", "200", "requestBody")}


def test_no_name_or_code_of_the_other_sides_in_python() -> None:
    """Template names, members, headers, paths and codes of the other sides stand in no string of the product."""
    files = set_files("both_b")
    profile = files[PROFILE_FILE]
    names = set(re.findall(r'"(/v3[^"]*|/identity[^"]*|X-[^"]+)"', profile))
    names |= set(re.findall(r'(?:path = |^\w+ = )"(\w+(?:\.\w+)+)"', profile, re.MULTILINE))
    names |= set(re.findall(r'path = "(\w+)"', profile)) - _PLAIN
    names |= set(read_legacy_profile(files).templates)
    names |= {"FAMT/", "/XHKG/", "REGI", "TAKN", "AGRD", "ENTR", "OPID", "HELLO", "GOODBYE", "GOTIT", "DEALDET"}
    product = [
        (path, node.value)
        for path in sorted((ROOT / "pg_bridge").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert 40 < len(names)
    assert [] == [f"{path.relative_to(ROOT)}: {text!r}" for path, text in product if text in names]


#: names of members that are plain English, which Python uses for things of its own
_PLAIN = {
    "why",
    "state",
    "day",
    "next",
    "no",
    "kinds",
    "own",
    "code",
    "kind",
    "since",
    "way",
    "ok",
    "trades",
    "price",
    "half",
    "lot",
}
