"""The files of two sets: read as plain documents, paired, and what is told of a whole file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.mapping.changes.change import Change, Effect, Kind, Located
from pg_bridge.mapping.changes.legacy_difference import template_effect
from pg_bridge.mapping.changes.renames import Documents
from pg_bridge.mapping.document import CASES_SUFFIX, RULES_FOLDER, SET_FILE, SHARED_FOLDER
from pg_bridge.mapping.report_document import REPORTS_FOLDER
from pg_bridge.profiles.layouts import FILES_FOLDER
from pg_bridge.profiles.legacy import CODES_FILE, TEMPLATE_FOLDER
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE
from pg_bridge.profiles.openapi_text import read_openapi_text
from pg_bridge.typed_toml import MOST_BYTES, Lines, read_toml

Files = Mapping[str, str]

FRAMING_FILE = "legacy/framing.toml"
SAMPLES_FOLDER = "samples/"
_OPENAPI_MOST = 8 * MOST_BYTES
_LINE = re.compile(r"line (\d+)")


def read(files: Files) -> tuple[Documents, dict[str, Located], dict[str, str]]:
    """The documents, the lines of their entries, and why a file could not be read."""
    documents: Documents = {}
    lines: dict[str, Located] = {}
    faults: dict[str, str] = {}
    for path, text in files.items():
        if path.endswith(".toml"):
            findings: list[Finding] = []
            document = read_toml(path, text, dict[str, Any], findings)
            if document is None:
                at = f" (line {findings[0].line})" if findings[0].line else ""
                faults[path] = f"{findings[0].text}{at}"
            else:
                documents[path], lines[path] = document, Lines(text)
        elif path != OPENAPI_FILE:
            documents[path], lines[path] = {"text": text}, Lines("")
        elif len(text) > _OPENAPI_MOST:
            faults[path] = f"it has {len(text)} characters, {_OPENAPI_MOST} are the most"
        else:
            try:
                documents[path], lines[path] = read_openapi_text(text)
            except ValueError as error:
                faults[path] = str(error)
    return documents, lines, faults


def unreadable(
    broken: Mapping[str, tuple[str | None, str | None]], old_files: Files, new_files: Files
) -> Iterator[Change]:
    """The files that cannot be read in one set or in both. broken: why, of the old one and of the new one."""
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
            effect=file_effect(path),
            kind=Kind.UNREADABLE,
            file=path,
            line=int(at[1]) if at else 0,
            about=path,
            text=text,
        )


def file_effect(path: str, document: Mapping[str, Any] | None = None) -> Effect:
    """What a whole file is about."""
    if path.startswith(SAMPLES_FOLDER) or path.endswith(CASES_SUFFIX) or path == SET_FILE:
        return Effect.NONE
    if path.startswith(TEMPLATE_FOLDER):
        return template_effect(document or {})
    if path.startswith(FILES_FOLDER):
        return Effect.WE_TAKE
    if path.startswith(SHARED_FOLDER):
        return Effect.WE_WRITE
    if path.startswith(RULES_FOLDER):
        feeds = document is None or "request" in document or "record" in document
        return Effect.OCP_GETS if feeds else Effect.WE_WRITE
    if path.startswith(REPORTS_FOLDER):
        return Effect.WE_WRITE
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


def paired(old: Documents, new: Documents) -> list[tuple[str, str]]:
    """The paths of each file: the same one, else the same name within, else the same function; or one is empty."""
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


def whole(path: str, was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Change:
    """A file that one set only has."""
    document = now if now is not None else was or {}
    head = document.get("template")
    about = f"template {head.get('name')}" if isinstance(head, dict) else f"file {document.get('name', path)}"
    kind = Kind.ADDED if now is not None else Kind.REMOVED
    text = f"the {about} is {kind}"
    return Change(effect=file_effect(path, document), kind=kind, file=path, line=0, about=about, text=text)


def silent(path: str, old_files: Files, new_files: Files) -> Iterator[Change]:
    """What differs in a file's text, but not in what it says."""
    if old_files.get(path) != new_files.get(path):
        text = "only comments, layout or an order that decides nothing differ"
        yield Change(effect=Effect.NONE, kind=Kind.CHANGED, file=path, line=0, about="file", text=text)
