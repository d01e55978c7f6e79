"""`mappings diff`: what differs between two mapping sets, in words. Never a difference of texts.

Strategy: every file is read as a plain document, not as the typed values that the bridge uses. So sets that do not
check are compared all the same, and an entry that is new to the dialect needs no code here: what has no words of
its own is told entry by entry (tree_difference.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pg_bridge.mapping.changes.case_difference import compare_cases
from pg_bridge.mapping.changes.change import EFFECTS, Change, Comparison, Effect, Kind
from pg_bridge.mapping.changes.code_difference import compare_codes
from pg_bridge.mapping.changes.file_difference import (
    FRAMING_FILE,
    SAMPLES_FOLDER,
    Files,
    file_effect,
    paired,
    read,
    silent,
    unreadable,
    whole,
)
from pg_bridge.mapping.changes.legacy_difference import compare_framing, compare_template
from pg_bridge.mapping.changes.message_difference import compare_blocks, compare_message
from pg_bridge.mapping.changes.ocp_difference import compare_openapi, compare_profile, schema_effects
from pg_bridge.mapping.changes.record_difference import as_input, compare_records, compare_upload, included
from pg_bridge.mapping.changes.renames import Documents, under_new_names
from pg_bridge.mapping.changes.rule_difference import compare_request
from pg_bridge.mapping.changes.tree_difference import Path, compare_tree
from pg_bridge.mapping.checks.rule_check import REFUSAL_REASONS
from pg_bridge.mapping.document import CASES_SUFFIX, RULES_FOLDER, SET_FILE, SHARED_FOLDER
from pg_bridge.profiles.legacy import CODES_FILE, TEMPLATE_FOLDER
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE

#: how `Users` name a shared file
_INCLUDE = "include "
#: code table, text of the profile, or shared file that records include -> what becomes of it
Users = Mapping[str, frozenset[Effect]]


def differences(old_files: Files, new_files: Files) -> list[Change]:
    """What differs between two sets (path below mappings/ to text), by file and line; empty: they are the same.

    Never raises for what stands in a file: one that cannot be read is told, and the others are compared.
    """
    if old_files.get(OPENAPI_FILE) == new_files.get(OPENAPI_FILE):  # the largest file, and no other needs it
        old_files, new_files = (
            {path: text for path, text in files.items() if path != OPENAPI_FILE} for files in (old_files, new_files)
        )
    changes: list[Change] = []
    old, old_lines, old_faults = read(old_files)
    alike = {path for path, text in new_files.items() if old_files.get(path) == text}
    new, new_lines, new_faults = read({path: text for path, text in new_files.items() if path not in alike})
    new |= {path: document for path, document in old.items() if path in alike}
    new_lines |= {path: lines for path, lines in old_lines.items() if path in alike}
    new_faults |= {path: fault for path, fault in old_faults.items() if path in alike}
    broken = {path: (old_faults.get(path), new_faults.get(path)) for path in {*old_faults, *new_faults}}
    changes += unreadable(broken, old_files, new_files)
    old, renamed = under_new_names(old, new, frozenset((REFUSAL_REASONS,)))
    for path, was, now, what in renamed:
        text = f"the {what} {was} is called {now} now"
        line = new_lines[path].of(now) if path in new_lines else 0
        changes.append(
            Change(effect=Effect.NONE, kind=Kind.CHANGED, file=path, line=line, about=f"{what} {now}", text=text)
        )
    users = _users(old, new)
    schemas = _schema_users(old, new)
    for old_path, new_path in paired(old, new):
        path = new_path or old_path
        if (old_path or path) in broken or path in broken:
            continue
        before = len(changes)
        before_it, after_it = old.get(old_path), new.get(new_path)
        if before_it is None or after_it is None:
            changes.append(whole(path, before_it, after_it))
            continue
        c = Comparison(path, before_it, after_it, old_lines[old_path], new_lines[new_path], changes, old_path)
        _compare(c, users, schemas)
        if old_path != new_path:
            text = f"the file {old_path} is called {new_path} now"
            changes.append(
                Change(effect=Effect.NONE, kind=Kind.CHANGED, file=new_path, line=0, about="file", text=text)
            )
        elif before == len(changes) and not any(path == each[0] for each in renamed):
            changes += silent(path, old_files, new_files)
    return sorted(changes, key=lambda change: (change.file, change.line, change.about, change.text))


# --- documents -------------------------------------------------------------------------------------------------


def _compare(c: Comparison, users: Users, schemas: Mapping[str, Effect]) -> None:
    path = c.file
    if path.startswith(SAMPLES_FOLDER):
        if c.old != c.new:
            c.changed(Effect.NONE, "", "sample", "the sample is changed; it decides nothing")
    elif path.endswith(CASES_SUFFIX):
        compare_cases(c)
    elif path.startswith(TEMPLATE_FOLDER):
        compare_template(c)
    elif path == CODES_FILE:
        compare_codes(c, users)
    elif path == FRAMING_FILE:
        compare_framing(c)
    elif path == PROFILE_FILE:
        compare_profile(c)
    elif path == OPENAPI_FILE:
        compare_openapi(c, schemas)
    elif path.startswith(SHARED_FOLDER):
        _head(c, "shared blocks", ("value", "block"))
        inner: list[Change] = []
        compare_blocks(replace(c, changes=inner), f"shared blocks {c.new.get('name')}", "", c.old, c.new)
        is_input = Effect.OCP_GETS in users.get(f"{_INCLUDE}{c.new.get('name')}", ())
        c.changes += as_input(inner) if is_input else inner
    elif path == SET_FILE:
        _set(c, users)
    elif path.startswith(RULES_FOLDER):
        name = str(c.new.get("name", path))
        _head(c, "rules", ("request", "upload", "record", "answer", "message"))
        compare_request(c, name, c.old.get("request"), c.new.get("request"))
        compare_upload(c, name, c.old.get("upload"), c.new.get("upload"))
        compare_records(c, name, c.old.get("record"), c.new.get("record"))
        for section in ("answer", "message"):
            compare_message(c, name, section, c.old.get(section), c.new.get(section))
    else:
        effect = file_effect(path)
        compare_tree(c, c.old, c.new, lambda _: effect, subject=f"the file {path}")


def _set(c: Comparison, users: Users) -> None:
    """Name and version say nothing to either side; the texts of its profile go where rules name them."""
    old, new = [{name: value for name, value in file.items() if name != "profile"} for file in (c.old, c.new)]
    compare_tree(c, old, new, lambda path: Effect.NONE, subject="the set", about="set")

    def effect_of(path: Path) -> Effect:
        return min(users.get(f"profile.{path[0]}" if path else "", ()), key=EFFECTS.index, default=Effect.NONE)

    profile = c.old.get("profile", {}), c.new.get("profile", {})
    compare_tree(c, profile[0], profile[1], effect_of, at="profile", subject="the set's profile", about="set profile")


def _head(c: Comparison, what: str, sections: tuple[str, ...]) -> None:
    """A rule file's own entries: its name and version say nothing to either side."""
    old, new = [{key: value for key, value in file.items() if key not in sections} for file in (c.old, c.new)]
    quiet = {("name",), ("version",)}
    subject = f"the {what} {c.new.get('name', c.file)}"
    compare_tree(
        c,
        old,
        new,
        lambda path: Effect.NONE if path in quiet else file_effect(c.file, c.new),
        subject=subject,
        about=subject.removeprefix("the "),
    )


def _users(*sets: Documents) -> Users:
    """Code table, text of the profile (`profile.NAME`), or shared file that records include (`include NAME`) -> what
    becomes of it, by the rules of both sets.
    """
    found: dict[str, set[Effect]] = {REFUSAL_REASONS: {Effect.WE_WRITE}}
    for documents in sets:
        of_records = {
            name
            for path, document in documents.items()
            if path.startswith(RULES_FOLDER) and not path.endswith(CASES_SUFFIX)
            for name in included(document)
        }
        found |= {f"{_INCLUDE}{name}": {Effect.OCP_GETS} for name in of_records}
        for path, document in documents.items():
            if not path.startswith(RULES_FOLDER) or path.endswith(CASES_SUFFIX):
                continue
            is_shared = path.startswith(SHARED_FOLDER) and str(document.get("name")) in of_records
            for section, part in document.items():
                effect = Effect.OCP_GETS if is_shared or section in ("request", "record") else Effect.WE_WRITE
                for name in _used(part):
                    found.setdefault(name, set()).add(effect)
    return {name: frozenset(effects) for name, effects in found.items()}


def _used(spot: Any) -> Iterator[str]:
    if isinstance(spot, dict):
        for name, value in spot.items():
            if name == "codes" and isinstance(value, str):
                yield value
            else:
                yield from _used(name)
                yield from _used(value)
    elif isinstance(spot, list):
        for value in spot:
            yield from _used(value)
    elif isinstance(spot, str) and spot.startswith("profile."):
        yield spot


def _schema_users(*sets: Documents) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    for documents in sets:
        for name, effect in schema_effects(documents.get(OPENAPI_FILE, {}), documents.get(PROFILE_FILE, {})).items():
            found[name] = min(found.get(name, effect), effect, key=EFFECTS.index)
    return found
