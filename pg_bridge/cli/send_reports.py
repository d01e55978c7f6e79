"""Reports that come in parts: what a frame holds of one, how it is shown, and the whole put together and saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pg_bridge.errors import ConfigError
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link.framing import Frame
from pg_bridge.link.parts import Assembly, Part, PartsForm, read_part

#: what a name from the other side must be, so that it is a name and no path
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: lines of data shown of a part; the others are counted
_SHOWN = 1


def report_part(form: PartsForm | None, body: bytes) -> Part | None:
    """The part of a report that a text block holds; None where it holds none, or a broken one."""
    if form is None:
        return None
    for field in read(body).fields:
        if field.value.startswith(f"{form.keys['report']}/"):
            return read_part(form, field.value.split("\r\n"), is_report=True)[0]
    return None


def without_data(form: PartsForm, text: str) -> str:
    """A text with only the first line of a part's data."""
    kept: list[str] = []
    data = 0
    for line in text.split("\r\n"):
        data += line.startswith(f"{form.keys['data']}/")
        if data <= _SHOWN or not line.startswith(f"{form.keys['data']}/"):
            kept.append(line)
        elif data == _SHOWN + 1:
            kept.append("")
    more = data - _SHOWN
    return "\r\n".join(f"... {more:,} more lines of data" if not line and more > 0 else line for line in kept)


class SavedReports:
    """Puts parts together and writes whole reports below `folder`, each once, size and hash right."""

    def __init__(self, form: PartsForm | None, folder: Path) -> None:
        if form is None:
            raise ConfigError("saving reports: the mappings do not say how files travel in parts")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"saving reports in {folder}: {error.strerror or error}") from error
        self.is_whole = True
        self._form = form
        self._folder = folder
        self._under_way: dict[tuple[str, date], Assembly] = {}

    def take(self, frame: Frame) -> Mapping[str, Any] | None:
        """What came of a frame: a report saved or spoilt, in words; None where nothing is to be told yet."""
        part = report_part(self._form, frame.body)
        if part is None:
            return None
        assembly = self._under_way.setdefault((part.name, part.day), Assembly(self._form))
        if part.number == 1 and assembly.under_way is not None and assembly.under_way.hash != part.hash:
            assembly.drop()  # it was asked for twice, and changed between
        step = assembly.take(part)
        if step.kind == "refused":
            self.is_whole = False
            return {"what": "spoilt", "text": "; ".join(finding.text for finding in step.findings)}
        if step.kind != "whole":
            return None
        del self._under_way[part.name, part.day]
        return self._save(part, step.content)

    def end(self) -> list[str]:
        """The reports of which parts are missing, in words."""
        self.is_whole = self.is_whole and not self._under_way
        return [
            f"of {name} of {day} only {assembly.under_way.number} of {assembly.under_way.of} parts came"
            for (name, day), assembly in self._under_way.items()
            if assembly.under_way is not None
        ]

    def _save(self, part: Part, content: bytes) -> dict[str, Any]:
        if _NAME.fullmatch(part.name) is None:
            self.is_whole = False
            return {"what": "spoilt", "text": f"{part.name!r} is no name for a file"}
        path = self._folder / f"{part.name}.{part.day:%Y%m%d}"
        try:
            if path.exists() and path.read_bytes() != content:
                path = self._folder / f"{path.name}.{part.hash[:12]}"  # an earlier one of that day is never overwritten
            path.write_bytes(content)
        except OSError as error:
            self.is_whole = False
            return {"what": "spoilt", "text": f"writing {path}: {error.strerror or error}"}
        return {"what": "saved", "text": f"{path}: {len(content):,} bytes, SHA-256 {part.hash}", "file": str(path)}
