"""A subscriber of status events over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response

from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import OcpCaller


class Receiver:
    """A subscriber: keeps what is delivered, answers with `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.deliveries: asyncio.Queue[tuple[dict, bytes]] = asyncio.Queue()
        self.statuses: list[int] = []
        self.refuses = False
        self.app = FastAPI()
        self.app.add_route("/events", self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        self.deliveries.put_nowait((dict(request.headers), await request.body()))
        usual = 503 if self.refuses else 200
        return Response(status_code=self.statuses.pop(0) if self.statuses else usual)

    def forget(self) -> None:
        """Let what came so far count no longer."""
        self.deliveries = asyncio.Queue()

    async def until(self, events: int) -> list[dict]:
        """So many events, as they were delivered."""
        found: list[dict] = []
        while len(found) < events:
            found += json.loads((await self.next())[1])["data"]
        return found

    async def next(self) -> tuple[dict, bytes]:
        return await asyncio.wait_for(self.deliveries.get(), 5)

    async def sequences(self, events: int) -> list[int]:
        found: list[int] = []
        while len(found) < events:
            found += [event["sequence"] for event in json.loads((await self.next())[1])["data"]]
        return found


@asynccontextmanager
async def subscribed(caller: OcpCaller, **subscription) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(receiver.app) as url:
        reply = await caller.post("/api/si/subscriptions/add/v1", {"url": f"{url}/events", **subscription})
        assert reply.json()["code"] == "0", reply.text
        yield receiver
