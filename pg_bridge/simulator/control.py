"""The control of the pretend OCP by HTTP: its own routes, with its own OpenAPI page, under its own path.

Everything here is the bench's own; nothing of it is OCP's.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.middleware.base import RequestResponseEndpoint

from pg_bridge.profiles.concepts import Operation, Reason, Refusal, Status
from pg_bridge.simulator.clock import HONG_KONG, Run
from pg_bridge.simulator.control_bench import add_bench_routes
from pg_bridge.simulator.faults import PUSH, TOKEN, Fault, FaultKind

if TYPE_CHECKING:
    from pg_bridge.simulator.pretend import PretendOcp


#: every run of the days between takes place, one after the other
LONGEST_JUMP = timedelta(days=3660)
END_OF_TIME = datetime(2101, 1, 1, tzinfo=HONG_KONG)
#: seconds that a fault may last, a day; calls of a limit
LONGEST_S, MOST_CALLS = 86_400, 1_000_000_000


class _Order(BaseModel):
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


class ClockOrder(_Order):
    """Set the clock: `jump` to a moment or `advance_s` further, then let it stand or run at `rate`.

    It goes no further than ten years at once, and not beyond the year 2100.
    """

    jump: AwareDatetime | None = None
    advance_s: Annotated[float, Field(gt=0, le=LONGEST_JUMP.total_seconds())] | None = None
    mode: Literal["stands", "runs"] | None = None
    rate: Annotated[float, Field(gt=0, le=1_000_000)] | None = None


class RunOrder(_Order):
    """Do one run now. si_number: only its pair is settled (as by a delivery instruction), paid or not."""

    run: Run
    si_number: str | None = None


class HoldOrder(_Order):
    """Have an SI's own participant hold or release it."""

    si_number: str
    hold: bool
    request_reference: str = "SIMULATOR"


class LackOrder(_Order):
    """Have runs leave an SI's pair unsettled for this reason; null: no longer."""

    si_number: str
    reason: Literal[Reason.LACK_SECURITIES, Reason.LACK_MONEY] | None


class RulesOrder(_Order):
    """Change rules of the book."""

    match_at_once: bool | None = None
    revoke_by_both: bool | None = None
    dvp_shares_on_hold: bool | None = None
    maker_checker: list[str] | None = None


class LimitsOrder(_Order):
    """Change the call limits (0: none), or the transaction limits of participants and machines (Hong Kong dollars)."""

    company_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] | None = None
    machine_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] | None = None
    transaction_limits: dict[str, Annotated[Decimal, Field(ge=0, max_digits=20)]] | None = None


class EntitlementOrder(_Order):
    """What a company may call from now on; null: everything."""

    company: str
    functions: list[Operation] | None


class FaultOrder(_Order):
    """One fault; see faults.Fault."""

    kind: FaultKind
    operation: str = ""
    skip: Annotated[int, Field(ge=0, le=MOST_CALLS)] = 0
    count: Annotated[int, Field(ge=0, le=MOST_CALLS)] = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    work: bool | None = None
    delay_s: Annotated[float, Field(ge=0, le=LONGEST_S)] = 1.0
    retry_after_s: Annotated[int, Field(ge=0, le=LONGEST_S)] = 1
    refusal: Refusal = Refusal.OUTSIDE_HOURS


def create_control(ocp: PretendOcp) -> FastAPI:
    """The app of the control routes."""
    app = FastAPI(title="Control of the pretend OCP", version="1", redoc_url=None, responses=_REFUSALS)
    add_bench_routes(app, ocp)

    @app.middleware("http")
    async def keep(request: Request, call_next: RequestResponseEndpoint) -> Response:
        """What an order did survives before it is answered."""
        response = await call_next(request)
        ocp.keep()
        return response

    @app.get("/state")
    async def state() -> Response:
        ocp.catch_up()
        statuses = dict.fromkeys((status.value for status in Status), 0)
        for si in ocp.book.register:
            statuses[si.status.value] += 1
        next_run = ocp.next_run()
        return _json(
            {
                "profile": ocp.profile.name,
                "clock": _clock(ocp),
                "next_run": next_run.isoformat() if next_run else None,
                "sis": len(ocp.book.register),
                "statuses": {name: count for name, count in statuses.items() if count},
                "ledger": len(ocp.ledger),
                "subscriptions": [
                    {"company": one.company, "url": one.url, "waiting": len(one.feed.waiting)}
                    for one in ocp.pusher.subscribers()
                ],
                "streams": [
                    {
                        "company": one.company,
                        "participant": one.participant,
                        "operation": one.channel.value,
                        "waiting": len(one.feed.waiting),
                        "unacknowledged": len(one.unacknowledged),
                    }
                    for one in ocp.streams
                ],
                "faults": len(ocp.faults.orders()),
            }
        )

    @app.get("/ledger")
    async def ledger(after: Annotated[int, Query(ge=0)] = 0) -> Response:
        return _json({"done": ocp.ledger.after(after)})

    @app.get("/sis")
    async def sis(participant: str | None = None) -> Response:
        ocp.catch_up()
        found = [si for si in ocp.book.register if participant in (None, si.participant)]
        return _json({"sis": [ocp.binding.write_si(si.values()) for si in found]})

    @app.get("/events")
    async def events(participant: str, business_date: date | None = None) -> Response:
        ocp.catch_up()
        day = business_date or ocp.clock.now().date()
        return _json({"events": ocp.events(participant, day)})

    @app.get("/pushes")
    async def pushes() -> Response:
        return _json({"tries": list(ocp.pusher.tries)})

    @app.get("/clock")
    async def clock() -> Response:
        return _json(_clock(ocp))

    @app.post("/clock")
    async def set_clock(order: ClockOrder) -> Response:
        if order.jump is not None or order.advance_s is not None:
            _jump(ocp, order)
        if order.mode == "stands":
            ocp.clock.run(0.0)
        elif order.mode == "runs" or order.rate is not None:
            ocp.clock.run(order.rate or 1.0)
        ocp.catch_up()
        return _json(_clock(ocp))

    @app.post("/run")
    async def run(order: RunOrder) -> Response:
        ocp.catch_up()
        return _json({"moved": ocp.run(order.run, si_number=order.si_number)})

    @app.post("/hold")
    async def hold(order: HoldOrder) -> Response:
        ocp.catch_up()
        si = ocp.book.register.get(order.si_number)
        if si is None:
            raise HTTPException(404, f"no SI {order.si_number}")
        asked = {
            "request_reference": f"{order.request_reference}{si.version}",
            "participant_id": si.participant,
            "si_number": si.si_number,
            "hold": order.hold,
        }
        outcome = ocp.book.write(Operation.SI_HOLD, asked, ocp.clock.now())
        ocp.publish(ocp.clock.now())
        if outcome.refusals:
            raise HTTPException(409, "; ".join(text for _, text in outcome.refusals))
        return _json({"si_number": si.si_number, "status": si.status.value})

    @app.post("/lack")
    async def lack(order: LackOrder) -> Response:
        try:
            ocp.book.set_lack(order.si_number, order.reason)
        except KeyError as error:
            raise HTTPException(404, f"no SI {order.si_number}") from error
        return _json({})

    @app.get("/rules")
    async def show_rules() -> Response:
        return _rules(ocp)

    @app.post("/rules")
    async def rules(order: RulesOrder) -> Response:
        changes: dict[str, Any] = order.model_dump(exclude_none=True)
        if "maker_checker" in changes:
            changes["maker_checker"] = frozenset(changes["maker_checker"])
        ocp.book.set_rules(**changes)
        return _rules(ocp)

    @app.get("/limits")
    async def show_limits() -> Response:
        return _limits(ocp)

    @app.post("/limits")
    async def limits(order: LimitsOrder) -> Response:
        for limit, calls in ((ocp.company_limit, order.company_calls), (ocp.machine_limit, order.machine_calls)):
            if calls is not None:
                limit.calls = calls
                limit.forget()
        if order.transaction_limits is not None:
            ocp.transaction_limits = dict(order.transaction_limits)
        return _limits(ocp)

    @app.get("/calls")
    async def calls() -> Response:
        """What the company's limit saw: calls let in, the most of them in one period, and calls turned away (429)."""
        limit = ocp.company_limit
        return _json({"let_in": limit.let_in, "most_at_once": limit.most_at_once, "turned_away": limit.turned_away})

    @app.get("/entitlements")
    async def show_entitlements() -> Response:
        return _json({"entitlements": ocp.functions})

    @app.post("/entitlements")
    async def entitle(order: EntitlementOrder) -> Response:
        if order.company not in ocp.functions:
            raise HTTPException(404, f"company: {order.company} is not registered")
        ocp.functions[order.company] = order.functions
        return _json({"entitlements": ocp.functions})

    @app.get("/faults")
    async def faults() -> Response:
        return _json({"faults": [{"fault": fault, "met": met} for fault, met in ocp.faults.orders()]})

    @app.post("/faults")
    async def order_fault(order: FaultOrder) -> Response:
        known = {operation.value for operation in Operation} | {"", TOKEN, PUSH}
        if order.operation not in known:
            raise HTTPException(422, f"no operation {order.operation}")
        ocp.faults.order(Fault(**order.model_dump()))
        return _json({"faults": len(ocp.faults.orders())})

    @app.delete("/faults")
    async def clear_faults() -> Response:
        ocp.faults.clear()
        return _json({})

    @app.post("/expire-tokens")
    async def expire_tokens() -> Response:
        ocp.tokens.expire_all()
        return _json({"good": 0})

    @app.post("/reset")
    async def reset() -> Response:
        ocp.reset()
        return _json({})

    return app


def _rules(ocp: PretendOcp) -> Response:
    rules = ocp.book.rules
    found = {name: getattr(rules, name) for name in RulesOrder.model_fields}
    return _json(found | {"maker_checker": sorted(rules.maker_checker)})


def _limits(ocp: PretendOcp) -> Response:
    calls = {"company_calls": ocp.company_limit.calls, "machine_calls": ocp.machine_limit.calls}
    return _json(calls | {"transaction_limits": ocp.transaction_limits})


def _jump(ocp: PretendOcp, order: ClockOrder) -> None:
    now = ocp.clock.now()
    latest = min(now + LONGEST_JUMP, END_OF_TIME)
    try:
        to: datetime = (order.jump or now) + timedelta(seconds=order.advance_s or 0)
        if to > latest:
            raise HTTPException(409, f"the clock goes no further than {latest.isoformat()} at once")
        ocp.clock.jump(to)
    except (ValueError, OverflowError) as error:
        raise HTTPException(409, str(error)) from error


def _clock(ocp: PretendOcp) -> dict[str, Any]:
    rate = ocp.clock.rate
    return {"now": ocp.clock.now().isoformat(), "mode": "runs" if rate else "stands", "rate": rate}


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
