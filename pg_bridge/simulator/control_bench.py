"""Control routes of what surrounds the book: counterparties, hours and weather, changes, snapshot and restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pg_bridge.profiles.hours import MarketHours
from pg_bridge.simulator.clock import HONG_KONG, SimulatedClock
from pg_bridge.simulator.counterparties import Counterparties, CounterpartyOrder
from pg_bridge.simulator.day import BusinessDay, Weather
from pg_bridge.simulator.image import Image, changes_of
from pg_bridge.simulator.si_book import SiBook

if TYPE_CHECKING:
    from pg_bridge.simulator.pretend import PretendOcp


class Surrounded(Protocol):
    """What has a book, a day and counterparties: the pretend OCP, the pretend PG."""

    @property
    def clock(self) -> SimulatedClock:
        """Its clock."""
        ...

    @property
    def book(self) -> SiBook:
        """Its book."""
        ...

    @property
    def day(self) -> BusinessDay:
        """Its calendar, sessions and weather."""
        ...

    @property
    def counterparties(self) -> Counterparties:
        """Those that answer by themselves."""
        ...

    def catch_up(self) -> None:
        """Bring about what the clock has passed."""
        ...


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


def add_day_routes(app: FastAPI, bench: Surrounded, markets: Mapping[str, MarketHours]) -> None:
    """Add the routes of counterparties, hours, weather and changes. markets: whose sessions may be looked at."""

    @app.get("/counterparties")
    async def counterparties() -> Response:
        """The counterparties that answer by themselves."""
        return _counterparties(bench)

    @app.post("/counterparties")
    async def order_counterparty(order: AnsweringOrder) -> Response:
        """Have a counterparty answer by itself from now on."""
        bench.counterparties.order(CounterpartyOrder(**order.model_dump()))
        return _counterparties(bench)

    @app.delete("/counterparties")
    async def clear_counterparties() -> Response:
        """Let none answer by itself any longer; what is due is dropped."""
        bench.counterparties.clear()
        return _counterparties(bench)

    @app.get("/day")
    async def day() -> Response:
        """Which markets are open, and why others are not."""
        return _day(bench, markets)

    @app.post("/weather")
    async def weather(order: WeatherOrder) -> Response:
        """Have a warning in force from now on."""
        bench.catch_up()
        now = bench.clock.now()
        if order.until is not None and order.until <= now:
            raise HTTPException(409, f"until: {order.until.isoformat()} is past on this clock")
        if order.until is not None and order.weather is Weather.FAIR:
            raise HTTPException(409, "until: fair weather is no warning that ends")
        try:
            until = order.until.astimezone(HONG_KONG) if order.until is not None else None
        except OverflowError as error:
            raise HTTPException(409, f"until: {error}") from error
        bench.day.set_weather(order.weather, now, until)
        return _day(bench, markets)

    @app.post("/hours")
    async def hours(order: HoursOrder) -> Response:
        """Have the markets' sessions looked at, or not."""
        if order.keep and not markets:
            raise HTTPException(409, "keep: the simulator was started without the hours of any market")
        bench.day.keeps_hours = order.keep
        return _day(bench, markets)

    @app.get("/changes")
    async def changes(si_number: str) -> Response:
        """Every change of an SI: what was stated before it and after it."""
        si = bench.book.register.get(si_number)
        if si is None:
            raise HTTPException(404, f"no SI {si_number}")
        return told({"changes": changes_of(si)})


def add_bench_routes(app: FastAPI, ocp: PretendOcp) -> None:
    """Add the routes of the pretend OCP's surroundings to the control's app."""
    add_day_routes(app, ocp, ocp.options.market_hours)

    @app.get("/snapshot")
    async def snapshot() -> Response:
        """Its whole state, its key and its seed among it."""
        return told(ocp.snapshot())

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
        return told({"sis": len(ocp.book.register), "now": ocp.clock.now().isoformat()})


def _counterparties(bench: Surrounded) -> Response:
    due = bench.counterparties.next_due
    return told({"counterparties": bench.counterparties.orders(), "next_due": due.isoformat() if due else None})


def _day(bench: Surrounded, markets: Mapping[str, MarketHours]) -> Response:
    now = bench.clock.now()
    whether_open = {}
    for market in markets:
        why = bench.day.refusal(market, now)
        whether_open[market] = "open" if why is None else why[1]
    return told(
        {
            "now": now.isoformat(),
            "business_day": bench.day.is_business_day(now.date()),
            "keeps_hours": bench.day.keeps_hours,
            "weather": bench.day.weather(now),
            "markets": whether_open,
        }
    )


def told(document: object) -> Response:
    """A document as an answer."""
    return Response(msgspec.json.encode(document), media_type="application/json")
