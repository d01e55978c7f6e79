"""What of this machine the bridge needs: ports, a disk that keeps what it was given, folders it may write into."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pg_bridge.cli.control_client import ask
from pg_bridge.cli.doctor_lines import Line, Verdict, wrong
from pg_bridge.cli.key_files import read_secret
from pg_bridge.config import Config
from pg_bridge.console.control import MAPPINGS_PATH, InForce
from pg_bridge.errors import BridgeError, ConfigError
from pg_bridge.pss.drop_folder import FOLDERS

#: bytes free where the journal lies: less is warned of, less than the second is wrong
FREE_BYTES, LEAST_FREE_BYTES = 5_000_000_000, 500_000_000
#: of one fsync of a journal's commit, in seconds: more at the median is warned of
FSYNC_S = 0.02
_FSYNCS, _COMMIT_BYTES = 30, 8_192
_PROBE = ".pg-bridge-doctor-"


def running_bridge(config: Config) -> tuple[bool, Line]:
    """Whether a bridge of this configuration runs, as its control door says."""
    door = config.control.socket
    if not door:
        return False, Line("bridge", "good", "whether it runs is not known: [control] socket names no door")
    try:
        found = ask(door, "GET", MAPPINGS_PATH, InForce)
    except ConfigError:
        return False, Line("bridge", "good", f"it does not run (nobody listens at {door})")
    except BridgeError as error:
        return True, Line("bridge", "wrong", str(error), "Look into its log; it answers, but not as it should.")
    return True, Line("bridge", "good", f"it runs, with mapping set {found.in_force.name} {found.in_force.version}")


def port_lines(config: Config, *, is_running: bool) -> Iterator[Line]:
    """Whether the bridge can listen where it is to."""
    places = [("[pss] port", config.pss.host, config.pss.port), ("[push] port", config.push.host, config.push.port)]
    second = config.pss.second_node()
    if second is not None:
        places.append(("[pss] secondary", *second))
    for name, host, port in places:
        fault = _listen_fault(host, port)
        if fault and is_running:
            yield Line(name, "good", f"{host}:{port} is in use, by the bridge that runs")
        elif fault:
            yield Line(name, "wrong", f"{host}:{port}: {fault}", f"Free it, or give another {name}.")
        else:
            yield Line(name, "good", f"{host}:{port} is free" if port else f"{host}: any free port")


def _listen_fault(host: str, port: int) -> str:
    """Why nobody can listen there; empty where one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def journal_lines(config: Config) -> Iterator[Line]:
    """Whether the journal's folder can be written, has room, and how long it takes until what it holds is durable."""
    journal = Path(config.journal.path)
    folder = journal.absolute().parent
    fault = _write_fault(folder)
    if fault:
        yield Line(
            "journal", "wrong", f"{folder}: {fault}", "Let pg-bridge write there, or give another [journal] path."
        )
        return
    if journal.exists() and not os.access(journal, os.R_OK | os.W_OK):
        yield Line("journal", "wrong", f"{journal} cannot be written", "Give it to the user who runs the bridge.")
    key = journal.with_name(journal.name + ".key")
    if key.exists():
        try:
            read_secret(key, "the journal's key")
        except ConfigError as error:
            yield from wrong("journal", error, "Let nobody but its owner read it.")
    free = shutil.disk_usage(folder).free
    text = f"{folder}: {free / 1e9:,.1f} GB free"
    remedy = "Free some, or move the journal."
    verdict: Verdict = "wrong" if free < LEAST_FREE_BYTES else "warning" if free < FREE_BYTES else "good"
    yield Line("disk", verdict, text, "" if verdict == "good" else remedy)
    median_s, most_s = fsync_times(folder)
    text = f"fsync takes {median_s * 1000:.2f} ms at the median, {most_s * 1000:.2f} ms at most, of {_FSYNCS}"
    if median_s > FSYNC_S:
        yield Line("fsync", "warning", text, "Every answer waits for it: put the journal on a faster disk.")
    else:
        yield Line("fsync", "good", text)


def fsync_times(folder: Path) -> tuple[float, float]:
    """Median and longest time of an fsync there, in seconds."""
    taken = []
    with tempfile.NamedTemporaryFile(prefix=_PROBE, dir=folder) as file:
        for _ in range(_FSYNCS):
            file.write(b"\0" * _COMMIT_BYTES)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken), max(taken)


def folder_lines(config: Config) -> Iterator[Line]:
    """Whether the reports and drop folders are there, and the bridge may do in them what it has to."""
    if config.reports.folder:
        folder = Path(config.reports.folder)
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
            yield Line(
                "reports", "wrong", f"{folder} is no folder that can be read", "Make it, or correct [reports] folder."
            )
        else:
            fault = _write_fault(folder)
            text = f"{folder} can be read{', but not written' if fault else ' and written'}"
            # The bridge only reads there; who writes reports is another matter.
            yield Line("reports", "good", text)
    for name, entry in config.participants.items():
        if entry.drop_folder:
            yield _drop_line(name, Path(entry.drop_folder))


def _drop_line(participant: str, root: Path) -> Line:
    what = f"drop folder {participant}"
    if not root.is_dir():
        parent = next((one for one in root.absolute().parents if one.is_dir()), Path("/"))
        fault = _write_fault(parent)
        if fault:
            return Line(what, "wrong", f"{root} is not there and cannot be made: {fault}", f"Make {root}.")
        return Line(
            what, "warning", f"{root} is not there yet: the bridge makes it", f"Make {root}, with rights for the PSS."
        )
    faults = [
        f"{folder.name}: {fault}"
        for folder in (root, *(root / inner for inner in FOLDERS))
        if folder.is_dir() and (fault := _write_fault(folder))
    ]
    if faults:
        return Line(what, "wrong", f"{root}: {'; '.join(faults)}", "Let pg-bridge write into all of its folders.")
    return Line(what, "good", f"{root} can be written")


def _write_fault(folder: Path) -> str:
    """Why no file can be made there; empty where one can."""
    try:
        with tempfile.NamedTemporaryFile(prefix=_PROBE, dir=folder) as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""
