"""Batch files that `pg-bridge send --upload` sends: each in parts, all of them on one session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pg_bridge.cli.send_requests import Outgoing
from pg_bridge.cli.world import read_file, utc_now
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.formats.iso15022.charset import outside_x
from pg_bridge.link.parts import PartsForm, split, write_part
from pg_bridge.mapping.back.layout import lay_out
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.checks.upload_check import PART_LINES
from pg_bridge.mapping.rule_set import read_rule_set
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.template import Template


def read_uploads(paths: Sequence[Path], name: str, files: Mapping[str, str]) -> list[Outgoing]:
    """The parts of all files, in order; only the last one of each is answered. name: in place of a file's own.

    Raises ConfigError: a file cannot be read, its name does not fit, or the mapping set takes no files.
    """
    if not paths:
        return []
    if name and len(paths) > 1:
        raise ConfigError("uploading: a name is for one file")
    template, form = _forms(files)
    found: list[Outgoing] = []
    for turn, path in enumerate(paths):
        found += _parts(path, name or path.name, template, form, turn)
    return found


def _forms(files: Mapping[str, str]) -> tuple[Template, PartsForm]:
    legacy = read_legacy_profile(files)
    findings: list[Finding] = []
    names = [located.file.upload.template for located in read_rule_set(files, findings).files if located.file.upload]
    if not names or legacy.parts is None:
        raise ConfigError("uploading: the mapping set takes no files in parts")
    return legacy.templates[names[0]], legacy.parts


def _parts(path: Path, name: str, template: Template, form: PartsForm, turn: int) -> Iterator[Outgoing]:
    content = read_file(path, "the file to upload")
    if not 1 <= len(name) <= form.name_width or outside_x(name):
        raise ConfigError(
            f"uploading {path}: {name!r} is no name of 1 to {form.name_width} characters: use --upload-name"
        )
    if len(content) > form.largest:
        raise ConfigError(f"uploading {path}: it has {len(content):,} bytes, {form.largest:,} are the most: split it")
    now = utc_now().astimezone(HONG_KONG)
    (type_,) = template.message_types
    reference, lines = template.concept(REFERENCE, type_), template.concept(PART_LINES, type_)
    if reference is None or lines is None:
        raise ConfigError(f"uploading: the template {template.name} binds no reference or no lines of a part")
    for part in split(form, name, now.date(), content):
        texts = {
            reference.place: f"{now:%m%d%H%M}{turn % 100:02d}{part.number:06d}",
            lines.place: "\r\n".join(write_part(form, part)),
        }
        body = "\r\n".join(lay_out(template, type_, texts, {})) + "\r\n"
        yield Outgoing(type_, template.name, body.encode("ascii"), turn=turn, is_answered=part.number == part.of)
