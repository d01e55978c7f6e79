"""The control of the pretend OCP by HTTP: its own routes, with its own OpenAPI page, under its own path.

Everything here is the bench's own; nothing of it is OCP's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.middleware.base import RequestResponseEndpoint

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.simulator.control_bench import add_bench_routes, told
from pg_bridge.simulator.control_book import Order, add_book_routes, clock_told, control_app, statuses_told
from pg_bridge.simulator.faults import PUSH, TOKEN, Fault, FaultKind

if TYPE_CHECKING:
    from pg_bridge.simulator.pretend import PretendOcp


#: seconds that a fault may last, a day; calls of a limit
LONGEST_S, MOST_CALLS = 86_400, 1_000_000_000


class LimitsOrder(Order):
    """Change the call limits (0: none), or the transaction limits of participants and machines (Hong Kong dollars)."""

    company_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] | None = None
    machine_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] | None = None
    transaction_limits: dict[str, Annotated[Decimal, Field(ge=0, max_digits=20)]] | None = None


class EntitlementOrder(Order):
    """What a company may call from now on; null: everything."""

    company: str
    functions: list[Operation] | None


class FaultOrder(Order):
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
    app = control_app("Control of the pretend OCP")
    add_book_routes(app, ocp)
    add_bench_routes(app, ocp)

    @app.middleware("http")
    async def keep(request: Request, call_next: RequestResponseEndpoint) -> Response:
        """What was due comes before an order, and what it did survives before it is answered."""
        ocp.catch_up()
        response = await call_next(request)
        ocp.keep()
        return response

    @app.get("/state")
    async def state() -> Response:
        """How it stands: clock, next run, SIs by status, subscriptions, streams, faults."""
        ocp.catch_up()
        next_run = ocp.next_run()
        return told(
            {
                "profile": ocp.profile.name,
                "clock": clock_told(ocp.clock),
                "next_run": next_run.isoformat() if next_run else None,
                "sis": len(ocp.book.register),
                "statuses": statuses_told(ocp.book),
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
        """Every instruction that it really did, behind this position."""
        return told({"done": ocp.ledger.after(after)})

    @app.get("/sis")
    async def sis(participant: str | None = None) -> Response:
        """Every SI, or those of a participant, as an enquiry of OCP shows them."""
        ocp.catch_up()
        found = [si for si in ocp.book.register if participant in (None, si.participant)]
        return told({"sis": [ocp.binding.write_si(si.values()) for si in found]})

    @app.get("/events")
    async def events(participant: str, business_date: date | None = None) -> Response:
        """The status events of a participant's business day (today)."""
        ocp.catch_up()
        day = business_date or ocp.clock.now().date()
        return told({"events": ocp.events(participant, day)})

    @app.get("/pushes")
    async def pushes() -> Response:
        """The latest tries of deliveries to webhooks."""
        return told({"tries": list(ocp.pusher.tries)})

    @app.get("/limits")
    async def show_limits() -> Response:
        """The call limits and the transaction limits."""
        return _limits(ocp)

    @app.post("/limits")
    async def limits(order: LimitsOrder) -> Response:
        """Change the call limits; what was counted is forgotten."""
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
        return told({"let_in": limit.let_in, "most_at_once": limit.most_at_once, "turned_away": limit.turned_away})

    @app.get("/entitlements")
    async def show_entitlements() -> Response:
        """What each company may call; null: everything."""
        return told({"entitlements": ocp.functions})

    @app.post("/entitlements")
    async def entitle(order: EntitlementOrder) -> Response:
        """Say what a company may call from now on."""
        if order.company not in ocp.functions:
            raise HTTPException(404, f"company: {order.company} is not registered")
        ocp.functions[order.company] = order.functions
        return told({"entitlements": ocp.functions})

    @app.get("/faults")
    async def faults() -> Response:
        """The faults that are still to come, each with how many calls it has met."""
        return told({"faults": [{"fault": fault, "met": met} for fault, met in ocp.faults.orders()]})

    @app.post("/faults")
    async def order_fault(order: FaultOrder) -> Response:
        """Have something go wrong."""
        known = {operation.value for operation in Operation} | {"", TOKEN, PUSH}
        if order.operation not in known:
            raise HTTPException(422, f"no operation {order.operation}")
        ocp.faults.order(Fault(**order.model_dump()))
        return told({"faults": len(ocp.faults.orders())})

    @app.delete("/faults")
    async def clear_faults() -> Response:
        """Let nothing go wrong any more."""
        ocp.faults.clear()
        return told({})

    @app.post("/expire-tokens")
    async def expire_tokens() -> Response:
        """Let no token be good any longer."""
        ocp.tokens.expire_all()
        return told({"good": 0})

    @app.post("/reset")
    async def reset() -> Response:
        """Begin with an empty book; clock and subscriptions stay."""
        ocp.reset()
        return told({})

    return app


def _limits(ocp: PretendOcp) -> Response:
    calls = {"company_calls": ocp.company_limit.calls, "machine_calls": ocp.machine_limit.calls}
    return told(calls | {"transaction_limits": ocp.transaction_limits})
