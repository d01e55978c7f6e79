"""Mapping sets made of the shipped files and tests/profiles/: another OCP, another PG, or both. Data alone."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tests.doubles.mapping_files import shipped

PROFILES = Path(__file__).parents[1] / "profiles"
#: name of a set -> the folders laid over the shipped files
SETS: dict[str, tuple[str, ...]] = {
    "shipped": (),
    "ocp_b": ("ocp_b",),
    "legacy_b": ("legacy_b",),
    "both_b": ("ocp_b", "legacy_b"),
}
_MESSAGES = "messages.toml"
_CHANGES = "changes.toml"


def _below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".toml", ".yaml")
    }


@cache
def set_files(name: str) -> dict[str, str]:
    """Every file of a set, and the tests' own messages.toml, by its path."""
    files = {**shipped(), **_below(PROFILES / "messages")}
    for folder in SETS[name]:
        files |= _below(PROFILES / folder)
    changes = tomllib.loads(files.pop(_CHANGES, ""))
    own = {path for folder in SETS[name] for path in _below(PROFILES / folder) if path.startswith("legacy/framing")}
    for change in changes.get("change", ()):
        pattern = re.compile(change["find"], re.DOTALL)
        found = 0
        for path in files:
            if path not in own and any(fnmatch(path, place) for place in change["in"]):
                files[path], count = pattern.subn(change["put"], files[path])
                found += count
        if not found:
            raise ValueError(f"{name}: nothing is like {change['find']!r}")
    return files


def write_set(name: str, folder: Path) -> str:
    """Write a set below `folder`; gives the folder to use as mappings. The shipped set is where it is: empty."""
    if not SETS[name]:
        return ""
    for path, text in set_files(name).items():
        if path != _MESSAGES:
            file = folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    return str(folder / name)


@cache
def messages(name: str) -> dict[str, dict[str, str]]:
    """What the tests send and look for, in the words of a set's legacy side."""
    return tomllib.loads(set_files(name)[_MESSAGES])
