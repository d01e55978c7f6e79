"""Names that mean nothing to either side, given anew: the old documents under the new names.

A code table, a shared file and a named value may be called anything. Where one went and another came that says the
very same, it was renamed; the old rules are then read as if they had always used the new name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pg_bridge.mapping.document import RULES_FOLDER, SHARED_FOLDER
from pg_bridge.profiles.legacy import CODES_FILE

Documents = dict[str, dict[str, Any]]
#: file of the new set, old name, new name, and the words for what was renamed
Renamed = tuple[str, str, str, str]

_SECTIONS = ("answer", "message")


def under_new_names(old: Documents, new: Documents, fixed: frozenset[str]) -> tuple[Documents, list[Renamed]]:
    """The old documents with the new names, and what was renamed. fixed: names of tables that must not change."""
    found: list[Renamed] = []
    tables = _pairs(old.get(CODES_FILE, {}), new.get(CODES_FILE, {}))
    uses = _uses(old), _uses(new)
    tables = _throughout(tables, "codes ", uses, fixed)
    if tables:
        found += [(CODES_FILE, was, now, "code table") for was, now in tables.items()]
        codes = {tables.get(name, name): table for name, table in old[CODES_FILE].items()}
        old = {path: _mapped(file, "codes", tables) for path, file in old.items()} | {CODES_FILE: codes}
    shared = _throughout(_pairs(_by_name(old), _by_name(new)), "include ", uses)
    if shared:
        paths = {str(file.get("name")): path for path, file in new.items() if path.startswith(SHARED_FOLDER)}
        found += [(paths.get(now, ""), was, now, "shared file") for was, now in shared.items()]
        old = {
            path: file | {"name": shared.get(str(file.get("name")), file.get("name"))}
            if path.startswith(SHARED_FOLDER)
            else _mapped(file, "include", shared)
            for path, file in old.items()
        }
    values: dict[str, str] = {}
    for path, file in old.items():
        if not path.startswith(RULES_FOLDER) or path not in new:
            continue
        for was, now in _throughout(_pairs(_values(file), _values(new[path])), "value.", uses).items():
            values[was] = now
            found.append((path, was, now, "value"))
    if values:
        old = {
            path: _values_named(file, values) if path.startswith(RULES_FOLDER) else file for path, file in old.items()
        }
    return old, found


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Names gone and come whose entries say the very same, each its only fellow."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    found = {}
    for name in gone:
        fellows = [other for other in come if new[other] == old[name]]
        rivals = [other for other in gone if old[other] == old[name]]
        if len(fellows) == len(rivals) == 1:
            found[name] = fellows[0]
    return found


def _throughout(
    names: Mapping[str, str], prefix: str, uses: tuple[set[str], set[str]], fixed: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Those that the new set uses by their new name only, and the old one did not know by it."""
    old, new = uses
    return {
        was: now
        for was, now in names.items()
        if f"{prefix}{was}" not in new and f"{prefix}{now}" not in old and not {was, now} & fixed
    }


def _uses(documents: Documents) -> set[str]:
    """Every name that rules use: `codes NAME`, `include NAME`, `value.NAME`."""
    found: set[str] = set()

    def walk(spot: Any) -> None:
        if isinstance(spot, dict):
            for name, value in spot.items():
                found.add(name)
                if name in ("codes", "include") and isinstance(value, str):
                    found.add(f"{name} {value}")
                walk(value)
        elif isinstance(spot, list):
            for each in spot:
                walk(each)
        elif isinstance(spot, str):
            found.add(spot)

    walk({path: file for path, file in documents.items() if path.startswith(RULES_FOLDER)})
    return found


def _by_name(documents: Documents) -> dict[str, Any]:
    """The shared files by their name, without it."""
    return {
        str(file.get("name")): {key: value for key, value in file.items() if key != "name"}
        for path, file in documents.items()
        if path.startswith(SHARED_FOLDER)
    }


def _values(file: Mapping[str, Any]) -> dict[str, Any]:
    """The named values of a rule file or shared file, without their names."""
    sections = [file, *(file.get(name) for name in _SECTIONS)]
    return {
        str(value.get("name")): {key: entry for key, entry in value.items() if key != "name"}
        for section in sections
        if isinstance(section, dict)
        for value in _tables(section.get("value"))
    }


def _tables(entries: Any) -> list[dict[str, Any]]:
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _mapped(spot: Any, key: str, names: Mapping[str, str]) -> Any:
    """Every entry `key` of a document under its new name."""

    def rename(name: str, value: Any) -> tuple[str, Any]:
        return name, names.get(value, value) if name == key and isinstance(value, str) else value

    return _walked(spot, rename, lambda text: text)


def _values_named(spot: Any, names: Mapping[str, str]) -> Any:
    """Every named value, and every source that names it, under its new name."""
    sources = {f"value.{was}": f"value.{now}" for was, now in names.items()}

    def rename(name: str, value: Any) -> tuple[str, Any]:
        if name == "value" and isinstance(value, list):
            value = [each | {"name": names.get(str(each.get("name")), each.get("name"))} for each in _tables(value)]
        return sources.get(name, name), value

    return _walked(spot, rename, lambda text: sources.get(text, text))


def _walked(spot: Any, rename: Callable[[str, Any], tuple[str, Any]], word: Callable[[str], str]) -> Any:
    if isinstance(spot, dict):
        made = {}
        for name, value in spot.items():
            new_name, new_value = rename(name, value)
            made[new_name] = _walked(new_value, rename, word)
        return made
    if isinstance(spot, list):
        return [_walked(each, rename, word) for each in spot]
    return word(spot) if isinstance(spot, str) else spot
