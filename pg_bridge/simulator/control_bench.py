"""Control routes of what surrounds the book: counterparties, hours and weather, changes, snapshot and restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.day import Weather
from pg_bridge.simulator.image import Image, changes_of

if TYPE_CHECKING:
    from pg_bridge.simulator.pretend import PretendOcp


class AnsweringOrder(BaseModel):
    """Have a participant answer by itself; empty: every one that is no registered company's.

    mismatch_one_in: of every so many answers one differs in one item (0: none). late_s: seconds of the pretend OCP's
    clock until the answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    participant: str = ""
    mismatch_one_in: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    late_s: Annotated[float, Field(ge=0, le=31_622_400)] = 0.0


class WeatherOrder(BaseModel):
    """A warning is in force from now on, until then if that is known; fair: none is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weather: Weather
    until: AwareDatetime | None = None


class HoursOrder(BaseModel):
    """Whether the markets' sessions are looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: bool


_A_SNAPSHOT = {
    "required": True,
    "description": "What a snapshot answered",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


def add_bench_routes(app: FastAPI, ocp: PretendOcp) -> None:
    """Add the routes to the control's app."""

    @app.get("/counterparties")
    async def counterparties() -> Response:
        """The counterparties that answer by themselves."""
        return _counterparties(ocp)

    @app.post("/counterparties")
    async def order_counterparty(order: AnsweringOrder) -> Response:
        """Have a counterparty answer by itself from now on."""
        ocp.counterparties.order(CounterpartyOrder(**order.model_dump()))
        return _counterparties(ocp)

    @app.delete("/counterparties")
    async def clear_counterparties() -> Response:
        """Let none answer by itself any longer; what is due is dropped."""
        ocp.counterparties.clear()
        return _counterparties(ocp)

    @app.get("/day")
    async def day() -> Response:
        """Which markets are open, and why others are not."""
        return _day(ocp)

    @app.post("/weather")
    async def weather(order: WeatherOrder) -> Response:
        """Have a warning in force from now on."""
        ocp.catch_up()
        now = ocp.clock.now()
        if order.until is not None and order.until <= now:
            raise HTTPException(409, f"until: {order.until.isoformat()} is past on this clock")
        if order.until is not None and order.weather is Weather.FAIR:
            raise HTTPException(409, "until: fair weather is no warning that ends")
        try:
            until = order.until.astimezone(HONG_KONG) if order.until is not None else None
        except OverflowError as error:
            raise HTTPException(409, f"until: {error}") from error
        ocp.day.set_weather(order.weather, now, until)
        return _day(ocp)

    @app.post("/hours")
    async def hours(order: HoursOrder) -> Response:
        """Have the markets' sessions looked at, or not."""
        if order.keep and not ocp.options.market_hours:
            raise HTTPException(409, "keep: the simulator was started without the hours of any market")
        ocp.day.keeps_hours = order.keep
        return _day(ocp)

    @app.get("/changes")
    async def changes(si_number: str) -> Response:
        """Every change of an SI: what was stated before it and after it."""
        si = ocp.book.register.get(si_number)
        if si is None:
            raise HTTPException(404, f"no SI {si_number}")
        return _json({"changes": changes_of(si)})

    @app.get("/snapshot")
    async def snapshot() -> Response:
        """Its whole state, its key and its seed among it."""
        return _json(ocp.snapshot())

    @app.post("/restore", openapi_extra={"requestBody": _A_SNAPSHOT})
    async def restore(request: Request) -> Response:
        """Go on where a snapshot was taken; whoever held a token asks for one again."""
        try:
            ocp.restore(msgspec.json.decode(await request.body(), type=Image))
        except msgspec.ValidationError as error:
            raise HTTPException(422, f"the snapshot: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HTTPException(422, f"the snapshot is no JSON: {error}") from error
        except ValueError as error:
            raise HTTPException(409, f"the snapshot: {error}") from error
        return _json({"sis": len(ocp.book.register), "now": ocp.clock.now().isoformat()})


def _counterparties(ocp: PretendOcp) -> Response:
    due = ocp.counterparties.next_due
    return _json({"counterparties": ocp.counterparties.orders(), "next_due": due.isoformat() if due else None})


def _day(ocp: PretendOcp) -> Response:
    now = ocp.clock.now()
    markets = {}
    for market in ocp.options.market_hours:
        why = ocp.day.refusal(market, now)
        markets[market] = "open" if why is None else why[1]
    return _json(
        {
            "now": now.isoformat(),
            "business_day": ocp.day.is_business_day(now.date()),
            "keeps_hours": ocp.day.keeps_hours,
            "weather": ocp.day.weather(now),
            "markets": markets,
        }
    )


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
