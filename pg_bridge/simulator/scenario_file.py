"""A scenario file read: its own table, the messages that it includes, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from pg_bridge.errors import Finding
from pg_bridge.simulator.scenario import Message, Messages, Scenario, ScenarioFile
from pg_bridge.simulator.scenario_check import check_scenario
from pg_bridge.typed_toml import Lines, read_toml

UNREADABLE = "PGB-SCN-001"
MISSING_FILE = "PGB-SCN-002"


def read_scenario(path: str, read: Callable[[str], str | None], findings: list[Finding]) -> Scenario | None:
    """The scenario in the file `path`; None, and every fault as a finding, when it is not one.

    read: gives the text of a file, None where there is none; files included are named from the folder of `path` on.
    """
    before = len(findings)
    text = read(path)
    if text is None:
        findings.append(_missing(path, path))
        return None
    file: ScenarioFile | None = read_toml(path, text, ScenarioFile, findings, UNREADABLE)
    if file is None:
        return None
    lines = Lines(text)
    messages: dict[str, Message] = {}
    for number, name in enumerate(file.include):
        at = str(PurePosixPath(path).parent / name)
        included = read(at)
        if included is None:
            findings.append(_missing(path, name, lines.of(f"include[{number}]")))
            continue
        shared: Messages | None = read_toml(at, included, Messages, findings, UNREADABLE)
        messages |= shared.message if shared else {}
    of_steps = tuple(lines.of(f"step[{at}]") for at in range(len(file.step)))
    scenario = Scenario(path, file, messages | file.message, of_steps)
    if len(findings) == before:
        findings += check_scenario(scenario, lines)
    return scenario if len(findings) == before else None


def _missing(path: str, name: str, line: int = 0) -> Finding:
    remedy = "Name a file that is there, from the folder of the scenario on."
    return Finding(MISSING_FILE, "error", path, f"there is no file {name}", line, remedy=remedy)
