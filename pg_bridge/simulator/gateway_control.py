"""The control of the pretend PG by HTTP: its own routes, with its own OpenAPI page, under its own path.

Where the pretend OCP has the same thing the route and its order are the same, so that one command serves both.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from pg_bridge.profiles.concepts import Operation, Status
from pg_bridge.simulator.control import (
    ClockOrder,
    HoldOrder,
    LackOrder,
    RulesOrder,
    RunOrder,
    clock_told,
    rules_told,
    set_clock_by,
)
from pg_bridge.simulator.control_bench import add_day_routes
from pg_bridge.simulator.gateway_bench import PretendPg
from pg_bridge.simulator.gateway_differences import DifferenceKind, DifferenceOrder
from pg_bridge.simulator.gateway_door import Door
from pg_bridge.simulator.wire_faults import WireFault, WireFaultKind


class WireFaultOrder(BaseModel):
    """One fault of the wire; see wire_faults.WireFault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: WireFaultKind
    participant: str = ""
    terminal: str = ""
    template: str = ""
    skip: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=0)] = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    delay_s: Annotated[float, Field(ge=0, le=86_400)] = 1.0


class DifferenceMaking(BaseModel):
    """A difference that is to be made; see gateway_differences.DifferenceOrder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: DifferenceKind
    templates: list[str] = []
    every: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    most: Annotated[int, Field(ge=0)] = 0
    late_s: Annotated[float, Field(ge=0, le=31_622_400)] = 60.0


class BroadcastOrder(BaseModel):
    """Tell participants something; to: none for all that are on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: str
    text: str
    to: list[str] = []


def create_gateway_control(pg: PretendPg, door: Door) -> FastAPI:
    """The app of the control routes."""
    app = FastAPI(title="Control of the pretend PG", version="1", redoc_url=None)
    add_day_routes(app, pg, pg.options.market_hours)
    _add_book_routes(app, pg, door)
    _add_wire_routes(app, pg, door)

    @app.get("/state")
    async def state() -> Response:
        pg.catch_up()
        door.spread()
        next_run = pg.next_run()
        statuses = dict.fromkeys((status.value for status in Status), 0)
        for si in pg.book.register:
            statuses[si.status.value] += 1
        return _json(
            {
                "link": pg.link.name,
                "clock": clock_told(pg.clock),
                "next_run": next_run.isoformat() if next_run else None,
                "sis": len(pg.book.register),
                "statuses": {name: count for name, count in statuses.items() if count},
                "nodes": [f"{host}:{port}" for host, port in door.addresses],
                "is_away": door.is_away,
                "sessions": _sessions(door),
                "waiting": door.post.waiting(),
                "refused_frames": door.refused_frames,
                "requests": len(pg.ledger),
                "faults": len(door.faults.orders()),
                "differences": len(pg.gateway.differences.orders),
            }
        )

    @app.get("/ledger")
    async def ledger(after: Annotated[int, Query(ge=0)] = 0) -> Response:
        return _json({"done": pg.ledger.done(after)})

    @app.get("/requests")
    async def requests(after: Annotated[int, Query(ge=0)] = 0) -> Response:
        return _json({"done": pg.ledger.after(after)})

    @app.get("/clock")
    async def clock() -> Response:
        return _json(clock_told(pg.clock))

    @app.post("/clock")
    async def set_clock(order: ClockOrder) -> Response:
        set_clock_by(order, pg.clock)
        pg.catch_up()
        door.spread()
        return _json(clock_told(pg.clock))

    @app.post("/reset")
    async def reset() -> Response:
        door.faults.clear()
        door.post.forget()
        pg.reset()
        return _json({})

    return app


def _add_book_routes(app: FastAPI, pg: PretendPg, door: Door) -> None:
    @app.post("/run")
    async def run(order: RunOrder) -> Response:
        pg.catch_up()
        moved = pg.run(order.run, order.si_number)
        door.spread()
        return _json({"moved": moved})

    @app.post("/broadcast")
    async def broadcast(order: BroadcastOrder) -> Response:
        to = order.to or sorted(door.sessions)
        pg.gateway.broadcast(order.head, order.text, tuple(to))
        door.spread()
        return _json({"told": to})

    @app.get("/sis")
    async def sis(participant: str | None = None) -> Response:
        pg.catch_up()
        return _json({"sis": [si.values() for si in pg.book.register if participant in (None, si.participant)]})

    @app.post("/hold")
    async def hold(order: HoldOrder) -> Response:
        si = pg.book.register.get(order.si_number)
        if si is None:
            raise HTTPException(404, f"no SI {order.si_number}")
        asked = {
            "request_reference": f"{order.request_reference}{si.version}",
            "participant_id": si.participant,
            "si_number": si.si_number,
            "hold": order.hold,
        }
        outcome = pg.gateway.command(Operation.SI_HOLD, asked)
        door.spread()
        if outcome.refusals:
            raise HTTPException(409, "; ".join(text for _, text in outcome.refusals))
        return _json({"si_number": si.si_number, "status": si.status.value})

    @app.post("/lack")
    async def lack(order: LackOrder) -> Response:
        try:
            pg.book.set_lack(order.si_number, order.reason)
        except KeyError as error:
            raise HTTPException(404, f"no SI {order.si_number}") from error
        return _json({})

    @app.get("/rules")
    async def show_rules() -> Response:
        return rules_told(pg.book.rules)

    @app.post("/rules")
    async def rules(order: RulesOrder) -> Response:
        changes: dict[str, Any] = order.model_dump(exclude_none=True)
        if "maker_checker" in changes:
            changes["maker_checker"] = frozenset(changes["maker_checker"])
        pg.book.set_rules(**changes)
        return rules_told(pg.book.rules)

    @app.get("/differences")
    async def differences() -> Response:
        found = pg.gateway.differences
        return _json({"differences": found.orders, "made": found.made})

    @app.post("/differences")
    async def order_difference(order: DifferenceMaking) -> Response:
        unknown = sorted(set(order.templates) - set(pg.legacy.templates))
        if unknown:
            raise HTTPException(422, f"templates: there is none of the name {', '.join(unknown)}")
        pg.gateway.differences.order(DifferenceOrder(**order.model_dump()))
        return _json({"differences": pg.gateway.differences.orders})

    @app.delete("/differences")
    async def clear_differences() -> Response:
        pg.gateway.differences.clear()
        return _json({})


def _add_wire_routes(app: FastAPI, pg: PretendPg, door: Door) -> None:
    templates = {*pg.legacy.templates, *(each.template for each in pg.link.control.templates.values())}

    @app.get("/sessions")
    async def sessions() -> Response:
        return _json({"sessions": _sessions(door)})

    @app.get("/faults")
    async def faults() -> Response:
        found = [{"fault": fault, "met": met, "wrong": wrong} for fault, met, wrong in door.faults.orders()]
        return _json({"faults": found})

    @app.post("/faults")
    async def order_fault(order: WireFaultOrder) -> Response:
        if order.template and order.template not in templates:
            raise HTTPException(422, f"template: there is none of the name {order.template}")
        met = door.order(WireFault(**order.model_dump()))
        return _json({"faults": len(door.faults.orders()), "sessions": met})

    @app.delete("/faults")
    async def clear_faults() -> Response:
        door.faults.clear()
        return _json({})


def _sessions(door: Door) -> list[dict[str, Any]]:
    return [
        {
            "participant": line.participant,
            "terminal": line.terminal,
            "session_id": line.session.session_id,
            "address": line.address,
            "unacknowledged": line.unacknowledged,
        }
        for participant in sorted(door.sessions)
        for line in door.sessions[participant]
    ]


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
