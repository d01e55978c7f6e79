"""The control of the pretend PG by HTTP: its own routes, with its own OpenAPI page, under its own path.

Where the pretend OCP has the same thing the route and its order are the same, so that one command serves both.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.middleware.base import RequestResponseEndpoint

from pg_bridge.simulator.control_bench import add_day_routes, told
from pg_bridge.simulator.control_book import Order, add_book_routes, clock_told, control_app, statuses_told
from pg_bridge.simulator.gateway_bench import PretendPg
from pg_bridge.simulator.gateway_differences import DifferenceKind, DifferenceOrder
from pg_bridge.simulator.gateway_door import Door
from pg_bridge.simulator.wire_faults import WireFault, WireFaultKind


class WireFaultOrder(Order):
    """One fault of the wire; see wire_faults.WireFault."""

    kind: WireFaultKind
    participant: str = ""
    terminal: str = ""
    template: str = ""
    skip: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=0)] = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    delay_s: Annotated[float, Field(ge=0, le=86_400)] = 1.0


class DifferenceMaking(Order):
    """A difference that is to be made; see gateway_differences.DifferenceOrder."""

    kind: DifferenceKind
    templates: tuple[str, ...] = ()
    every: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    most: Annotated[int, Field(ge=0)] = 0
    late_s: Annotated[float, Field(ge=0, le=31_622_400)] = 60.0


class BroadcastOrder(Order):
    """Tell participants something; to: none for all that are on."""

    head: str
    text: str
    to: tuple[str, ...] = ()


def create_gateway_control(pg: PretendPg, door: Door) -> FastAPI:
    """The app of the control routes."""
    app = control_app("Control of the pretend PG")
    add_book_routes(app, pg)
    add_day_routes(app, pg, pg.options.market_hours)
    _add_told_routes(app, pg, door)
    _add_wire_routes(app, pg, door)

    @app.middleware("http")
    async def spread(request: Request, call_next: RequestResponseEndpoint) -> Response:
        """What was due comes before an order; who is on hears of what it did."""
        pg.catch_up()
        door.spread()
        response = await call_next(request)
        door.spread()
        return response

    @app.get("/state")
    async def state() -> Response:
        """How it stands: clock, next run, SIs by status, sessions, letters that wait, faults, differences."""
        next_run = pg.next_run()
        return told(
            {
                "link": pg.link.name,
                "clock": clock_told(pg.clock),
                "next_run": next_run.isoformat() if next_run else None,
                "sis": len(pg.book.register),
                "statuses": statuses_told(pg.book),
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
        """Every instruction that it really did, behind this position."""
        return told({"done": pg.ledger.done(after)})

    @app.get("/requests")
    async def requests(after: Annotated[int, Query(ge=0)] = 0) -> Response:
        """Every request that it took, behind this position."""
        return told({"done": pg.ledger.after(after)})

    @app.post("/reset")
    async def reset() -> Response:
        """Begin with an empty book; the clock and who is on stay."""
        door.faults.clear()
        door.post.forget()
        pg.reset()
        return told({})

    return app


def _add_told_routes(app: FastAPI, pg: PretendPg, door: Door) -> None:
    @app.post("/broadcast")
    async def broadcast(order: BroadcastOrder) -> Response:
        """Tell participants something: all that are on, or these."""
        to = order.to or sorted(door.sessions)
        pg.gateway.broadcast(order.head, order.text, tuple(to))
        return told({"told": to})

    @app.get("/sis")
    async def sis(participant: str | None = None) -> Response:
        """Every SI, or those of a participant."""
        return told({"sis": [si.values() for si in pg.book.register if participant in (None, si.participant)]})

    @app.get("/differences")
    async def differences() -> Response:
        """What it tells otherwise than it should, and each time that it did."""
        found = pg.gateway.differences
        return told({"differences": found.orders, "made": found.made})

    @app.post("/differences")
    async def order_difference(order: DifferenceMaking) -> Response:
        """Have it tell something otherwise from now on."""
        unknown = sorted(set(order.templates) - set(pg.legacy.templates))
        if unknown:
            raise HTTPException(422, f"templates: there is none of the name {', '.join(unknown)}")
        pg.gateway.differences.order(DifferenceOrder(**order.model_dump() | {"templates": list(order.templates)}))
        return told({"differences": pg.gateway.differences.orders})

    @app.delete("/differences")
    async def clear_differences() -> Response:
        """Let it tell everything as it should."""
        pg.gateway.differences.clear()
        return told({})


def _add_wire_routes(app: FastAPI, pg: PretendPg, door: Door) -> None:
    templates = {*pg.legacy.templates, *(each.template for each in pg.link.control.templates.values())}

    @app.get("/sessions")
    async def sessions() -> Response:
        """Who is on."""
        return told({"sessions": _sessions(door)})

    @app.get("/faults")
    async def faults() -> Response:
        """The faults of the wire that are still to come, each with how often it was met."""
        found = [{"fault": fault, "met": met, "wrong": wrong} for fault, met, wrong in door.faults.orders()]
        return told({"faults": found})

    @app.post("/faults")
    async def order_fault(order: WireFaultOrder) -> Response:
        """Have something go wrong on the wire."""
        if order.template and order.template not in templates:
            raise HTTPException(422, f"template: there is none of the name {order.template}")
        met = door.order(WireFault(**order.model_dump()))
        return told({"faults": len(door.faults.orders()), "sessions": met})

    @app.delete("/faults")
    async def clear_faults() -> Response:
        """Let nothing go wrong on the wire any more."""
        door.faults.clear()
        return told({})


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
