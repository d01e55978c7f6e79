"""Control of the pretend OCP by HTTP, under its own path: state, ledger, clock, settlement, faults."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

if TYPE_CHECKING:
    from pg_bridge.simulator.ocp import PretendOcp

CONTROL_PATH = "/_simulator"


class ClockCommand(BaseModel):
    """Jump to a time, on by days, or change the rate."""

    to: datetime | None = None
    days: int = 0
    rate: float | None = None


class FaultCommand(BaseModel):
    """Make a fault the next `count` times."""

    operation: str
    kind: str
    count: int = 1


class HoldCommand(BaseModel):
    """Hold or release one side at OCP's own terminal."""

    si_number: str
    hold: bool


def control_routes(ocp: PretendOcp) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=CONTROL_PATH)

    @router.get("/state")
    async def state() -> dict[str, Any]:
        return {
            "now": ocp.clock.stamp(),
            "instructions": [ocp.entry_document(si) for si in ocp.book.instructions.values()],
            "subscribed": ocp.pusher.url,
            "pushes": [{"delivery_id": id_, "status": status} for id_, status in ocp.pusher.tries],
            "faults": ocp.faults.waiting,
            "tokens_given": ocp.tokens.given,
        }

    @router.get("/ledger")
    async def ledger() -> list[dict[str, str]]:
        return ocp.ledger

    @router.post("/clock")
    async def clock(command: ClockCommand) -> dict[str, Any]:
        if command.to is not None:
            ocp.clock.jump(command.to)
        if command.days:
            ocp.clock.jump(ocp.clock.now() + timedelta(days=command.days))
        if command.rate is not None:
            ocp.clock.run(command.rate)
        return {"now": ocp.clock.stamp()}

    @router.post("/settle")
    async def settle() -> dict[str, int]:
        moved = ocp.book.settle()
        ocp.push_fresh()
        return {"moved": moved}

    @router.post("/pay")
    async def pay() -> dict[str, int]:
        moved = ocp.book.pay()
        ocp.push_fresh()
        return {"moved": moved}

    @router.post("/match")
    async def match() -> dict[str, int]:
        pairs = ocp.book.match_all()
        ocp.push_fresh()
        return {"pairs": pairs}

    @router.post("/hold")
    async def hold(command: HoldCommand) -> dict[str, str]:
        si = ocp.book.instructions.get(command.si_number)
        if si is None:
            raise HTTPException(404, f"SI {command.si_number} is unknown")
        refused = ocp.book.set_hold(si, "", hold=command.hold)
        if refused is not None:
            raise HTTPException(409, refused[1])
        ocp.push_fresh()
        return {"status": si.status.value}

    @router.post("/faults")
    async def faults(command: FaultCommand) -> dict[str, Any]:
        try:
            ocp.faults.add(command.operation, command.kind, command.count)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return ocp.faults.waiting

    @router.delete("/faults")
    async def no_faults() -> dict[str, Any]:
        ocp.faults.clear()
        return {}

    return router
