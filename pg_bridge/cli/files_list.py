"""`pg-bridge files list`: what lies in the participants' drop folders, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from pg_bridge.cli.output import clock_text, console, findings_table, say_json, table
from pg_bridge.cli.world import read_file
from pg_bridge.config import read_config
from pg_bridge.errors import ConfigError, DiskFault, Finding
from pg_bridge.pss.disk_faults import as_text, doing
from pg_bridge.pss.drop_folder import ARCHIVE, FOLDERS, INBOX, OUTBOX, REPORT, DropFolder

_KEYS = ("participant", "folder", "file", "claim", "bytes", "since", "what")
_COLUMNS = ("participant", "folder", "file", "claim", "bytes", "since (HKT)", "what")


def list_(
    config: Annotated[Path, typer.Option("-c", "--config", help="The configuration file of the bridge.")],
    *,
    participant: Annotated[str, typer.Option(help="Only this participant.")] = "",
    archive: Annotated[bool, typer.Option("--archive", help="The archived files too, not only how many.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what lies in the drop folders: waiting, taken, reported, rejected. Exit code 1 if something is wrong there.

    Example: pg-bridge files list -c bridge.toml --participant B01234
    """
    settings = read_config(read_file(config, "the configuration").decode("utf-8", "replace"), os.environ)
    folders = {
        name: Path(entry.drop_folder)
        for name, entry in settings.participants.items()
        if entry.drop_folder and participant in ("", name)
    }
    if not folders:
        whom = f"participant {participant}" if participant else "any participant"
        raise ConfigError(f"listing drop folders: the configuration has none for {whom} (see --example-config)")
    files: list[dict[str, Any]] = []
    archived: dict[str, int] = {}
    findings: list[Finding] = []
    for name, root in folders.items():
        try:
            found = [{"participant": name, **file} for file in _files(root)]
            archived[name] = sum(file["folder"] == ARCHIVE for file in found)
            files += [file for file in found if archive or file["folder"] != ARCHIVE]
            folder = DropFolder(root, owner="")
            folder.check()
            findings += folder.inbox().findings
        except DiskFault as fault:
            findings.append(fault.finding)
    if json:
        say_json({"files": files, "archived": archived, "findings": findings})
    else:
        rows = [[file[key] for key in _KEYS] for file in files]
        console().print(table(f"{len(files)} files", _COLUMNS, rows))
        for name, count in archived.items():
            print(f"{name}: {count} archived in {folders[name] / ARCHIVE}")
        if findings:
            console().print(findings_table(findings))
    raise typer.Exit(1 if findings else 0)


def _files(root: Path) -> Iterator[dict[str, Any]]:
    """Each file in a drop folder, oldest first within each of its folders. Raises DiskFault."""
    for name in FOLDERS:
        with doing("reading the folder", root / name):
            paths = [path for path in (root / name).rglob("*") if path.is_file() and not path.is_symlink()]
            found = sorted((path.stat().st_mtime, path, path.stat().st_size) for path in paths)
        for modified_s, path, size in found:
            claim, mark, own = path.name.partition("~")
            is_held = bool(mark) and name not in (INBOX, OUTBOX)
            yield {
                "folder": name,
                "file": as_text(own if is_held else path.name),
                "claim": claim if is_held else "",
                "bytes": size,
                "since": clock_text(int(modified_s * 1e6))[:19],
                "what": "report" if name != INBOX and path.name.endswith(REPORT) else "file",
                "path": as_text(path),
            }
