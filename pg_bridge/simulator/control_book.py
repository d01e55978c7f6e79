"""The control app of whatever has a book, and its routes of clock, runs, holds, lacks and rules: alike for both."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, Self

from fastapi import Depends, FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from pg_bridge.profiles.concepts import Operation, Reason, Status
from pg_bridge.simulator.clock import HONG_KONG, Run, SimulatedClock
from pg_bridge.simulator.control_bench import Surrounded, told
from pg_bridge.simulator.control_gate import refuse_what_nobody_reads, tell_faults
from pg_bridge.simulator.life_cycle import BookRules, Outcome
from pg_bridge.simulator.si_book import SiBook

#: every run of the days between takes place, one after the other
LONGEST_JUMP = timedelta(days=3660)
END_OF_TIME = datetime(2101, 1, 1, tzinfo=HONG_KONG)


class Commanded(Surrounded, Protocol):
    """What has a book that people can command from outside."""

    def run(self, run: Run, *, si_number: str | None = None) -> int:
        """Do one run now; how much it moved."""
        ...

    def command(self, operation: Operation, stated: dict[str, Any]) -> Outcome:
        """Have an SI's own participant do something by itself; who is to be told of it is told."""
        ...


class Order(BaseModel):
    """What a person wants done; nothing in it that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Refused(BaseModel):
    """Why an order is refused: in words, or each place that is wrong (`loc`) with what is wrong there (`msg`)."""

    detail: str | list[dict[str, Any]]


_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "The body cannot be read"},
    404: {"model": Refused, "description": "What the order is about is not there"},
    409: {"model": Refused, "description": "It cannot be done as things stand"},
    422: {"model": Refused, "description": "The order is none"},
}


class ClockOrder(Order):
    """Set the clock: `jump` to a moment or `advance_s` further, then let it stand or run at `rate`.

    It goes no further than ten years at once, and not beyond the year 2100.
    """

    jump: AwareDatetime | None = None
    advance_s: Annotated[float, Field(gt=0, le=LONGEST_JUMP.total_seconds())] | None = None
    mode: Literal["stands", "runs"] | None = None
    rate: Annotated[float, Field(ge=1e-6, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.mode == "stands" and self.rate is not None:
            raise ValueError("mode, rate: a clock that stands has no rate")
        return self


class RunOrder(Order):
    """Do one run now. si_number: only its pair is settled (as by a delivery instruction), paid or not."""

    run: Run
    si_number: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.si_number is not None and self.run in (Run.MATCH, Run.DAY_END):
            raise ValueError(f"si_number: the run {self.run.value} is not of one pair")
        return self


class HoldOrder(Order):
    """Have an SI's own participant hold or release it."""

    si_number: str
    hold: bool
    request_reference: Annotated[str, Field(pattern="^[A-Z0-9]{1,10}$")] = "SIMULATOR"


class LackOrder(Order):
    """Have runs leave an SI's pair unsettled for this reason; null: no longer."""

    si_number: str
    reason: Literal[Reason.LACK_SECURITIES, Reason.LACK_MONEY] | None


class RulesOrder(Order):
    """Change rules of the book."""

    match_at_once: bool | None = None
    revoke_by_both: bool | None = None
    dvp_shares_on_hold: bool | None = None
    maker_checker: list[str] | None = None


def control_app(title: str) -> FastAPI:
    """An app that refuses by name whatever nobody reads, and says so on its page."""
    return FastAPI(
        title=title,
        version="1",
        redoc_url=None,
        responses=_REFUSALS,
        dependencies=[Depends(refuse_what_nobody_reads)],
        exception_handlers={RequestValidationError: tell_faults},
    )


def add_book_routes(app: FastAPI, bench: Commanded) -> None:
    """Add the routes of clock, runs, holds, lacks and rules."""

    @app.get("/clock")
    async def clock() -> Response:
        """Its clock."""
        return told(clock_told(bench.clock))

    @app.post("/clock")
    async def set_clock(order: ClockOrder) -> Response:
        """Set its clock; whatever is due on the way takes place, in order."""
        _set(bench.clock, order)
        bench.catch_up()
        return told(clock_told(bench.clock))

    @app.post("/run")
    async def run(order: RunOrder) -> Response:
        """Do a run now, whenever the schedule has it; `moved`: how many pairs or SIs."""
        if order.si_number is not None and bench.book.register.get(order.si_number) is None:
            raise HTTPException(404, f"si_number: no SI {order.si_number}")
        return told({"moved": bench.run(order.run, si_number=order.si_number)})

    @app.post("/hold")
    async def hold(order: HoldOrder) -> Response:
        """Have an SI's own participant hold or release it."""
        bench.catch_up()
        si = bench.book.register.get(order.si_number)
        if si is None:
            raise HTTPException(404, f"no SI {order.si_number}")
        asked = {
            "request_reference": f"{order.request_reference}{si.version}",
            "participant_id": si.participant,
            "si_number": si.si_number,
            "hold": order.hold,
        }
        outcome = bench.command(Operation.SI_HOLD, asked)
        if outcome.refusals:
            raise HTTPException(409, "; ".join(text for _, text in outcome.refusals))
        return told({"si_number": si.si_number, "status": si.status.value})

    @app.post("/lack")
    async def lack(order: LackOrder) -> Response:
        """Have runs leave an SI's pair unsettled, or no longer."""
        try:
            bench.book.set_lack(order.si_number, order.reason)
        except KeyError as error:
            raise HTTPException(404, f"no SI {order.si_number}") from error
        return told({})

    @app.get("/rules")
    async def show_rules() -> Response:
        """The rules of its book."""
        return told(_rules(bench.book.rules))

    @app.post("/rules")
    async def rules(order: RulesOrder) -> Response:
        """Change rules of its book."""
        changes: dict[str, Any] = order.model_dump(exclude_none=True)
        if "maker_checker" in changes:
            changes["maker_checker"] = frozenset(changes["maker_checker"])
        bench.book.set_rules(**changes)
        return told(_rules(bench.book.rules))


def clock_told(clock: SimulatedClock) -> dict[str, Any]:
    """How a clock stands."""
    rate = clock.rate
    return {"now": clock.now().isoformat(), "mode": "runs" if rate else "stands", "rate": rate}


def statuses_told(book: SiBook) -> dict[str, int]:
    """How many SIs there are of each status that occurs, in the order of the statuses."""
    counted = Counter(si.status for si in book.register)
    return {status.value: counted[status] for status in Status if status in counted}


def _rules(rules: BookRules) -> dict[str, Any]:
    """The rules of a book that can be changed."""
    found = {name: getattr(rules, name) for name in RulesOrder.model_fields}
    return found | {"maker_checker": sorted(rules.maker_checker)}


def _set(clock: SimulatedClock, order: ClockOrder) -> None:
    """Do what the order says. Raises HTTPException for a moment that is past, or too far ahead."""
    if order.jump is not None or order.advance_s is not None:
        now = clock.now()
        latest = min(now + LONGEST_JUMP, END_OF_TIME)
        try:
            to = (order.jump or now) + timedelta(seconds=order.advance_s or 0)
            if to > latest:
                raise HTTPException(409, f"the clock goes no further than {latest.isoformat()} at once")
            clock.jump(to)
        except (ValueError, OverflowError) as error:
            raise HTTPException(409, str(error)) from error
    if order.mode == "stands":
        clock.run(0.0)
    elif order.mode == "runs" or order.rate is not None:
        clock.run(order.rate or 1.0)
