"""`mappings diff`: what differs between two mapping sets, in words. Never a difference of texts.

Strategy: every file is read as a plain document, not as the typed values that the bridge uses. So sets that do not
check are compared all the same, and an entry that is new to the dialect needs no code here: what has no words of
its own is told entry by entry (tree_difference.py).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pg_bridge.mapping.case_difference import compare_cases
from pg_bridge.mapping.change import EFFECTS, Change, Comparison, Effect, Kind, Located
from pg_bridge.mapping.document import CASES_SUFFIX, RULES_FOLDER, SET_FILE, SHARED_FOLDER
from pg_bridge.mapping.legacy_difference import compare_codes, compare_framing, compare_template, template_effect
from pg_bridge.mapping.message_difference import compare_blocks, compare_message
from pg_bridge.mapping.ocp_difference import compare_openapi, compare_profile, schema_effects
from pg_bridge.mapping.renames import Documents, under_new_names
from pg_bridge.mapping.rule_check import REFUSAL_REASONS
from pg_bridge.mapping.rule_difference import compare_request
from pg_bridge.mapping.toml import MOST_BYTES, Lines
from pg_bridge.mapping.tree_difference import compare_tree
from pg_bridge.profiles.legacy import CODES_FILE, TEMPLATE_FOLDER
from pg_bridge.profiles.ocp import OPENAPI_FILE, PROFILE_FILE
from pg_bridge.profiles.openapi_text import read_openapi_text

Files = Mapping[str, str]

FRAMING_FILE = "legacy/framing.toml"
SAMPLES_FOLDER = "samples/"
_OPENAPI_MOST_BYTES = 8 * MOST_BYTES
_LINE = re.compile(r"line (\d+)")


def differences(old_files: Files, new_files: Files) -> list[Change]:
    """What differs between two sets (path below mappings/ to text), by file and line; empty: they are the same.

    Never raises for what stands in a file: one that cannot be read is told, and the others are compared.
    """
    changes: list[Change] = []
    old, old_lines, old_faults = _read(old_files)
    new, new_lines, new_faults = _read(new_files)
    broken = {path: (old_faults.get(path), new_faults.get(path)) for path in {*old_faults, *new_faults}}
    changes += _unreadable(broken, old_files, new_files)
    old, renamed = under_new_names(old, new, frozenset((REFUSAL_REASONS,)))
    for path, was, now, what in renamed:
        text = f"the {what} {was} is called {now} now"
        line = new_lines[path].of(now) if path in new_lines else 0
        changes.append(
            Change(effect=Effect.NONE, kind=Kind.CHANGED, file=path, line=line, about=f"{what} {now}", text=text)
        )
    tables = _table_users(old, new)
    schemas = _schema_users(old, new)
    for old_path, new_path in _paired(old, new):
        path = new_path or old_path
        if (old_path or path) in broken or path in broken:
            continue
        before = len(changes)
        was, now = old.get(old_path), new.get(new_path)
        if was is None or now is None:
            changes.append(_whole(path, was, now))
            continue
        c = Comparison(path, was, now, old_lines[old_path], new_lines[new_path], changes, old_path)
        _compare(c, tables, schemas)
        if old_path != new_path:
            text = f"the file {old_path} is called {new_path} now"
            changes.append(
                Change(effect=Effect.NONE, kind=Kind.CHANGED, file=new_path, line=0, about="file", text=text)
            )
        elif before == len(changes) and not any(path == each[0] for each in renamed):
            changes += _silent(path, old_files, new_files)
    return sorted(changes, key=lambda change: (change.file, change.line, change.about, change.text))


# --- files -----------------------------------------------------------------------------------------------------


def _read(files: Files) -> tuple[Documents, dict[str, Located], dict[str, str]]:
    """The documents, the lines of their entries, and why a file could not be read."""
    documents: Documents = {}
    lines: dict[str, Located] = {}
    faults: dict[str, str] = {}
    for path, text in files.items():
        most = _OPENAPI_MOST_BYTES if path == OPENAPI_FILE else MOST_BYTES
        if len(text) > most:
            faults[path] = f"it has {len(text)} characters, {most} are the most"
            continue
        try:
            if path == OPENAPI_FILE:
                documents[path], lines[path] = read_openapi_text(text)
            elif path.endswith(".toml"):
                documents[path], lines[path] = tomllib.loads(text), Lines(text)
            else:
                documents[path], lines[path] = {"text": text}, Lines("")
        except (ValueError, RecursionError) as error:  # TOML's own error is a ValueError
            faults[path] = " ".join(str(error).split())
    return documents, lines, faults


def _unreadable(
    broken: Mapping[str, tuple[str | None, str | None]], old_files: Files, new_files: Files
) -> Iterator[Change]:
    for path, (was, now) in broken.items():
        told = now if now is not None else was or ""
        at = _LINE.search(told)
        if was is not None and now is not None:
            if old_files[path] == new_files[path]:
                continue  # nothing differs
            text = f"neither set's file can be read, so nothing is known of it: {now}"
        elif now is not None:
            text = f"the new set's file cannot be read: {now}"
        else:
            text = f"the old set's file cannot be read, so what changed in it is not known: {was}"
        yield Change(
            effect=_file_effect(path),
            kind=Kind.UNREADABLE,
            file=path,
            line=int(at[1]) if at else 0,
            about=path,
            text=text,
        )


def _file_effect(path: str, document: Mapping[str, Any] | None = None) -> Effect:
    """What a whole file is about."""
    if path.startswith(SAMPLES_FOLDER) or path.endswith(CASES_SUFFIX) or path == SET_FILE:
        return Effect.NONE
    if path.startswith(TEMPLATE_FOLDER):
        return template_effect(document or {})
    if path.startswith(SHARED_FOLDER):
        return Effect.WE_WRITE
    if path.startswith(RULES_FOLDER):
        return Effect.WE_WRITE if document is not None and "request" not in document else Effect.OCP_GETS
    if path in (CODES_FILE, OPENAPI_FILE, PROFILE_FILE):
        return Effect.OCP_GETS
    return Effect.WE_CONNECT if path == FRAMING_FILE else Effect.NONE


def _identity(path: str, document: Mapping[str, Any]) -> str:
    """What a file is known by besides its path: the template that it is, the name that it has."""
    if path.startswith(TEMPLATE_FOLDER):
        head = document.get("template")
        return f"template {head.get('name') if isinstance(head, dict) else path}"
    if path.endswith(CASES_SUFFIX) or not path.startswith(RULES_FOLDER) or path == SET_FILE:
        return path
    return f"{SHARED_FOLDER if path.startswith(SHARED_FOLDER) else RULES_FOLDER}{document.get('name', path)}"


def _function(path: str, document: Mapping[str, Any]) -> str:
    is_rules = path.startswith(RULES_FOLDER) and not path.startswith(SHARED_FOLDER)
    return str(document.get("function", path)) if is_rules and not path.endswith(CASES_SUFFIX) else path


def _paired(old: Documents, new: Documents) -> list[tuple[str, str]]:
    """Paths of one file in both sets: the same path, else the same name within, else the same function; or one is empty."""
    both = [(path, path) for path in old if path in new]
    gone, come = [path for path in old if path not in new], [path for path in new if path not in old]
    for name_of in (_identity, _function):
        names = {name_of(path, new[path]): path for path in come}
        for path in list(gone):
            fellow = names.pop(name_of(path, old[path]), "")
            if fellow:
                both.append((path, fellow))
                gone.remove(path)
                come.remove(fellow)
    # The cases follow the rule file that they are of.
    moves = {
        was.removesuffix(".toml") + CASES_SUFFIX: now.removesuffix(".toml") + CASES_SUFFIX
        for was, now in both
        if was != now
    }
    for path in list(gone):
        if moves.get(path, "") in come:
            both.append((path, moves[path]))
            gone.remove(path)
            come.remove(moves[path])
    return both + [(path, "") for path in gone] + [("", path) for path in come]


def _whole(path: str, was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Change:
    """A file that one set only has."""
    document = now if now is not None else was or {}
    head = document.get("template")
    about = f"template {head.get('name')}" if isinstance(head, dict) else f"file {document.get('name', path)}"
    kind = Kind.ADDED if now is not None else Kind.REMOVED
    text = f"the {about} is {kind}"
    return Change(effect=_file_effect(path, document), kind=kind, file=path, line=0, about=about, text=text)


def _silent(path: str, old_files: Files, new_files: Files) -> Iterator[Change]:
    if old_files.get(path) != new_files.get(path):
        text = "only comments, layout or an order that decides nothing differ"
        yield Change(effect=Effect.NONE, kind=Kind.CHANGED, file=path, line=0, about="file", text=text)


# --- documents -------------------------------------------------------------------------------------------------


def _compare(c: Comparison, tables: Mapping[str, frozenset[Effect]], schemas: Mapping[str, Effect]) -> None:
    path = c.file
    if path.startswith(SAMPLES_FOLDER):
        if c.old != c.new:
            c.changed(Effect.NONE, "", "sample", "the sample is changed; it decides nothing")
    elif path.endswith(CASES_SUFFIX):
        compare_cases(c)
    elif path.startswith(TEMPLATE_FOLDER):
        compare_template(c)
    elif path == CODES_FILE:
        compare_codes(c, tables)
    elif path == FRAMING_FILE:
        compare_framing(c)
    elif path == PROFILE_FILE:
        compare_profile(c)
    elif path == OPENAPI_FILE:
        compare_openapi(c, schemas)
    elif path.startswith(SHARED_FOLDER):
        _head(c, "shared blocks", ("value", "block"))
        compare_blocks(c, f"shared blocks {c.new.get('name')}", "", c.old, c.new)
    elif path == SET_FILE:
        compare_tree(c, c.old, c.new, lambda path: Effect.NONE, subject="the set", about="set")
    elif path.startswith(RULES_FOLDER):
        name = str(c.new.get("name", path))
        _head(c, "rules", ("request", "answer", "message"))
        compare_request(c, name, c.old.get("request"), c.new.get("request"))
        for section in ("answer", "message"):
            compare_message(c, name, section, c.old.get(section), c.new.get(section))
    else:
        compare_tree(c, c.old, c.new, lambda path: Effect.NONE, subject=f"the file {path}")


def _head(c: Comparison, what: str, sections: tuple[str, ...]) -> None:
    """A rule file's own entries: its name and version say nothing to either side."""
    old, new = [{key: value for key, value in file.items() if key not in sections} for file in (c.old, c.new)]
    quiet = {("name",), ("version",)}
    subject = f"the {what} {c.new.get('name', c.file)}"
    compare_tree(
        c,
        old,
        new,
        lambda path: Effect.NONE if path in quiet else _file_effect(c.file, c.new),
        subject=subject,
        about=subject.removeprefix("the "),
    )


def _table_users(*sets: Documents) -> dict[str, frozenset[Effect]]:
    """Code table -> what becomes of its codes, by the rules of both sets that use it."""
    found: dict[str, set[Effect]] = {REFUSAL_REASONS: {Effect.WE_WRITE}}
    for documents in sets:
        for path, document in documents.items():
            if not path.startswith(RULES_FOLDER) or path.endswith(CASES_SUFFIX):
                continue
            for section, part in document.items():
                effect = Effect.OCP_GETS if section == "request" else Effect.WE_WRITE
                for name in _codes(part):
                    found.setdefault(name, set()).add(effect)
    return {name: frozenset(effects) for name, effects in found.items()}


def _codes(spot: Any) -> Iterator[str]:
    if isinstance(spot, dict):
        for name, value in spot.items():
            if name == "codes" and isinstance(value, str):
                yield value
            else:
                yield from _codes(value)
    elif isinstance(spot, list):
        for value in spot:
            yield from _codes(value)


def _schema_users(*sets: Documents) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    for documents in sets:
        for name, effect in schema_effects(documents.get(OPENAPI_FILE, {}), documents.get(PROFILE_FILE, {})).items():
            found[name] = min(found.get(name, effect), effect, key=EFFECTS.index)
    return found
