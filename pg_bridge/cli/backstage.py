"""What the bridge's operator does while scenarios play: broadcasts by its control door, reports in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from pg_bridge.console.control import BROADCASTS_PATH
from pg_bridge.errors import BridgeError
from pg_bridge.simulator.scenario import Report, Telling


async def broadcast_by(door: str, telling: Telling) -> None:
    """Have the bridge behind a control socket send a broadcast. Raises BridgeError when it does not."""
    document = msgspec.to_builtins(telling) | {"by": "scenario"}
    try:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=door)) as http:
            answer = await http.post(f"http://bridge{BROADCASTS_PATH}", json=document)
    except httpx.HTTPError as error:
        raise BridgeError(f"asking the bridge at {door}: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise BridgeError(f"the bridge answers {answer.status_code}: {answer.text[:500]}")


def put_report(folder: Path, report: Report, day: str) -> None:
    """Write a report and rename it into its place. Raises BridgeError where that cannot be done."""
    place = folder / report.participant / day / report.name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{report.name}.tmp")
        beside.write_bytes((report.content * report.times).replace("\n", "\r\n").encode("utf-8"))
        beside.rename(place)
    except OSError as error:
        raise BridgeError(f"writing the report {place}: {error}") from error


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Backstage of a bridge that runs elsewhere on this machine."""

    control: str = ""
    reports: str = ""

    async def broadcast(self, telling: Telling) -> None:
        """Have the bridge tell it. Raises BridgeError."""
        await broadcast_by(self.control, telling)

    def put_report(self, report: Report, day: str) -> None:
        """Put it where the bridge looks. Raises BridgeError."""
        put_report(Path(self.reports), report, day)

    def pass_time(self, seconds: float) -> None:
        """Raises BridgeError: its clock is its own."""
        raise BridgeError(f"letting {seconds:g} s pass: the bridge has a clock of its own")
