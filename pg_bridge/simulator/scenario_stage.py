"""Where a scenario is played: the control of the pretend OCP, and what only the one who runs the bridge can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx

from pg_bridge.errors import BridgeError
from pg_bridge.simulator.ocp import CONTROL_PATH
from pg_bridge.simulator.scenario import Needs, Report, Telling


class OcpControl:
    """The control of a pretend OCP at `url`. Raises BridgeError for an order that it refuses, or when it is away."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + CONTROL_PATH

    async def order(self, route: str, document: dict[str, Any] | None = None) -> Any:
        """Post an order, or get what is told there."""
        doing = f"asking the pretend OCP: {route}"
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                url = f"{self._url}/{route}"
                answer = await (http.get(url) if document is None else http.post(url, json=document))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BridgeError(f"{doing}: {error}") from error
        if answer.is_error:
            raise BridgeError(f"{doing}: {answer.status_code} {answer.text}")
        return answer.json()


class Backstage(Protocol):
    """What the bridge's operator does. Raises BridgeError for what cannot be done."""

    async def broadcast(self, telling: Telling) -> None:
        """Have the bridge send a broadcast."""
        ...

    def put_report(self, report: Report, day: str) -> None:
        """Have a report ready for download. day: YYYYMMDD."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the bridge and the PSSs; OCP's clock is its own."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bridge and the pretend OCP are. nodes: host and port that PSSs dial, the primary first.

    has: of what a scenario may need, what is there. is_shared: others may play there at the same time.
    """

    nodes: tuple[tuple[str, int], ...]
    control: OcpControl
    backstage: Backstage
    clock: Callable[[], datetime]
    has: frozenset[Needs] = frozenset()
    is_shared: bool = False
