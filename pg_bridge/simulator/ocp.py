"""The pretend OCP: every operation by the profile, over HTTP. Names and codes only through the binding."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.clock import SimulatedClock
from pg_bridge.simulator.control import control_routes
from pg_bridge.simulator.faults import Faults
from pg_bridge.simulator.push import Pusher
from pg_bridge.simulator.si_book import Refused, Si, SiBook, SiEvent
from pg_bridge.simulator.tokens import TokenDesk

_encode = msgspec.json.Encoder().encode
_TABLES = {
    "direction": "direction",
    "payment_instruction": "payment_instruction",
    "status": "status",
    "reason_code": "reason",
}


@dataclass(slots=True)
class SimulatorOptions:
    """How the pretend OCP behaves."""

    registrations: Mapping[str, Any] = field(default_factory=dict)
    token_life_s: int = 30
    matches_at_once: bool = True
    #: calls in a period, as the profile says when None; 0: no limit
    company_calls: int | None = None
    ledger_file: Path | None = None
    start: datetime | None = None
    rate: float = 1.0


class Cut(Response):
    """An answer that breaks off: the connection is cut in the middle of it."""

    def __init__(self) -> None:
        super().__init__(b"{", headers={"content-length": "1000"}, media_type="application/json")


class PretendOcp:
    """The state behind the app."""

    def __init__(self, profile: OcpProfile, options: SimulatorOptions, real: Callable[[], datetime]) -> None:
        self.profile = profile
        self.options = options
        self.real = real
        self.clock = SimulatedClock(real, start=options.start, rate=options.rate)
        self.book = SiBook(self.clock, matches_at_once=options.matches_at_once)
        self.faults = Faults()
        self.tokens = TokenDesk(profile.token, options.registrations, life_s=options.token_life_s)
        self.pusher = Pusher(profile, self.faults, real)
        #: every instruction really entered: request id, reference, participant, SI number; never shortened
        self.ledger: list[dict[str, str]] = []
        self.request_ids: set[str] = set()
        self.calls: list[float] = []
        self.base_url = ""

    # --- documents -----------------------------------------------------------------------------------------

    def codes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Meanings -> OCP's codes."""
        out = dict(values)
        for concept, table in _TABLES.items():
            if out.get(concept) is not None:
                out[concept] = self.profile.code(table, out[concept])
        return out

    def entry_document(self, si: Si) -> dict[str, Any]:
        """One entry of siQuery."""
        document = self.profile.write("si", self.codes(si.values()))
        self.profile.place("answer", "record_errors").write(document, [])
        return document

    def event_document(self, event: SiEvent) -> dict[str, Any]:
        """One status event."""
        entry = self.profile.write("si", self.codes(event.values))
        self.profile.place("answer", "record_errors").write(entry, [])
        code = self.profile.code
        return self.profile.write(
            "event",
            {
                "si": entry,
                "event_id": event.event_id,
                "event_sequence": event.sequence,
                "event_business_date": event.business_date,
                "event_type": code("event_type", event.event_type),
                "occurred_at": event.occurred_at,
                "previous_status": code("status", event.previous) if event.previous is not None else None,
                "new_status": code("status", event.new),
                "event_reason_code": code("reason", event.reason) if event.reason is not None else None,
                "event_reason_text": event.reason_text,
                "schema_version": "1",
            },
        )

    def envelope(
        self, entries: list[Any], *, refused: Refused | None = None, cursor: str | None = None, total: int | None = None
    ) -> Response:
        """The answer around entries, or around the refusal of the whole."""
        profile = self.profile
        errors = [] if refused is None else [self.record_error(refused)]
        document = profile.write(
            "envelope",
            {
                "code": profile.envelope.code_ok if refused is None else profile.code("refusal", refused[0]),
                "message": "" if refused is None else refused[1],
                "entries": entries,
                "total_size": len(entries) if total is None else total,
                "timestamp": self.clock.stamp(),
                "next_cursor": cursor or profile.envelope.first_cursor,
                "errors": errors,
            },
        )
        return Response(_encode(document), media_type="application/json")

    def record_error(self, refused: Refused) -> dict[str, Any]:
        """One entry of an exception list."""
        return self.profile.write(
            "record_error",
            {"record_error_code": self.profile.code("refusal", refused[0]), "record_error_message": refused[1]},
        )

    def push_fresh(self) -> None:
        """Hand the events that happened to the pusher."""
        fresh, self.book.fresh = self.book.fresh, []
        self.pusher.push([self.event_document(event) for event in fresh])

    # --- operations ----------------------------------------------------------------------------------------

    def write(self, operation: Operation, request_id: str, company: str, body: bytes) -> Response:
        """One write call, each entry judged alone."""
        spec = self.profile.operations[operation]
        try:
            entries = self.profile.get("envelope", "entries", msgspec.json.decode(body))
        except msgspec.DecodeError:
            entries = None
        if not isinstance(entries, list) or not entries:
            return self.envelope([], refused=(Refusal.FIELD_MALFORMED, "the body holds no entries"))
        if len(entries) > spec.most:
            return self.envelope([], refused=(Refusal.TOO_MANY_ENTRIES, f"more than {spec.most} entries"))
        self.request_ids.add(request_id)
        answers = [self._one(operation, spec.entry, entry, request_id, company) for entry in entries]
        return self.envelope(answers)

    def _one(self, operation: Operation, schema: str, entry: Any, request_id: str, company: str) -> dict[str, Any]:
        faults = self.profile.faults(schema, entry)
        if faults:
            return self._answer(entry, (_fault_meaning(faults[0]), faults[0][:200]))
        values = self.profile.read("si", entry)
        allowed = self.tokens.participants(company)
        if allowed and values["participant_id"] not in allowed:
            text = f"participant {values['participant_id']} is not of {company}"
            return self._answer(entry, (Refusal.NOT_OUR_PARTICIPANT, text))
        if operation is Operation.SI_ADD:
            outcome: Si | Refused = self.book.enter(self._stated(values))
            if isinstance(outcome, Si):
                self._ledger(outcome, request_id)
            return self._answer(entry, outcome)
        found = self.book.find(str(values["participant_id"]), str(values["si_number"]))
        if not isinstance(found, Si):
            return self._answer(entry, found)
        request = str(values["request_reference"])
        match operation:
            case Operation.SI_HOLD:
                refused = self.book.set_hold(found, request, hold=bool(values["hold"]))
            case Operation.SI_DELETE:
                refused = self.book.delete(found, request)
            case Operation.SI_REVOKE:
                refused = self.book.revoke(found, request)
            case Operation.SI_AUTHORISE:
                refused = self.book.authorise(found, request)
            case _:
                refused = self.book.change(found, self._stated(values))
        return self._answer(entry, refused or found)

    def _stated(self, values: dict[str, Any]) -> dict[str, Any]:
        for concept, table in (("direction", "direction"), ("payment_instruction", "payment_instruction")):
            values[concept] = self.profile.meaning(table, values[concept])
        return values

    def _ledger(self, si: Si, request_id: str) -> None:
        line = {
            "request_id": request_id,
            "participant": si.stated["participant_id"],
            "reference": si.stated["request_reference"],
            "si_number": si.number,
        }
        self.ledger.append(line)
        if self.options.ledger_file is not None:
            with self.options.ledger_file.open("ab") as out:
                out.write(_encode(line) + b"\n")

    def _answer(self, entry: Any, outcome: Si | Refused) -> dict[str, Any]:
        values: dict[str, Any] = {
            concept: self.profile.get("si", concept, entry) if isinstance(entry, dict) else None
            for concept in ("request_reference", "participant_reference")
        }
        if isinstance(outcome, Si):
            values |= {
                "si_number": outcome.number,
                "status": self.profile.code("status", outcome.status),
                "version": outcome.version,
                "record_errors": [],
            }
        else:
            values |= {
                "si_number": None,
                "status": None,
                "version": None,
                "record_errors": [self.record_error(outcome)],
            }
        return self.profile.write("answer", values)

    def query(self, document: dict[str, Any]) -> Response:
        """siQuery: the SIs that fit, a page at a time."""
        asked = self.profile.read("query", document)
        found = []
        for si in self.book.instructions.values():
            stated = si.stated
            fits = (
                stated["participant_id"] == asked["participant_id"]
                and asked["si_number"] in (None, si.number)
                and asked["participant_reference"] in (None, stated["participant_reference"])
                and asked["request_reference"] in (None, stated["request_reference"], si.last_request)
                and asked["business_date"] in (None, si.business_date)
                and (asked["status"] is None or self.profile.meaning("status", asked["status"]) is si.status)
            )
            if fits:
                found.append(si)
        size = int(asked["size"] or 200)
        start = int(asked["cursor"] or 0)
        page = found[start : start + size]
        cursor = str(start + size) if start + size < len(found) else None
        return self.envelope([self.entry_document(si) for si in page], cursor=cursor, total=len(found))

    def events(self, parameters: Mapping[str, str]) -> Response:
        """statusEvents: those of a participant's day behind a sequence number."""
        asked = self.profile.read("events_query", dict(parameters))
        day = self.book.events.get((str(asked["participant_id"]), str(asked["business_date"])), [])
        after = int(asked["after_sequence"] or 0)
        return self.envelope([self.event_document(event) for event in day[after:]])

    def subscribe(self, document: dict[str, Any]) -> Response:
        """Push to this URL from now on."""
        self.pusher.url = str(self.profile.get("subscription", "subscription_url", document) or "")
        return self.envelope([document])

    # --- limits --------------------------------------------------------------------------------------------

    def is_throttled(self, now: float) -> bool:
        """The company has made its calls of this period."""
        limit = self.profile.limits.company_calls if self.options.company_calls is None else self.options.company_calls
        if not limit:
            return False
        self.calls = [at for at in self.calls if at > now - self.profile.limits.company_period_s]
        if len(self.calls) >= limit:
            return True
        self.calls.append(now)
        return False


def _fault_meaning(text: str) -> Refusal:
    if "is a required property" in text:
        return Refusal.FIELD_MISSING
    return Refusal.FIELD_UNKNOWN if "Additional properties" in text else Refusal.FIELD_MALFORMED


def create_app(profile: OcpProfile, options: SimulatorOptions, real: Callable[[], datetime]) -> FastAPI:
    """The app; `app.state.ocp` is the PretendOcp behind it."""
    ocp = PretendOcp(profile, options, real)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.get_running_loop().create_task(ocp.pusher.run())
        yield
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    app = FastAPI(title="A pretend OCP", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.ocp = ocp

    @app.post(profile.token.path)
    async def token(request: Request) -> Response:
        url = str(request.base_url).rstrip("/") + profile.token.path
        status, document = ocp.tokens.give(await request.body(), url, real())
        return Response(_encode(document), status_code=status, media_type="application/json")

    def add(operation: Operation) -> None:
        spec = profile.operations[operation]

        async def endpoint(request: Request) -> Response:
            return await _call(ocp, operation, request)

        app.add_api_route(spec.path, endpoint, methods=[spec.method], response_model=None, name=operation.value)

    for operation in profile.operations:
        add(operation)
    app.include_router(control_routes(ocp))
    return app


async def _call(ocp: PretendOcp, operation: Operation, request: Request) -> Response:
    profile = ocp.profile
    now = ocp.real()
    if operation is Operation.CRYPTO_META:
        return Response(_encode(ocp.pusher.key_set()), media_type="application/json")
    company = ocp.tokens.company(request.headers.get("authorization", ""), now)
    if company is None:
        return Response(b'{"error":"invalid_token"}', status_code=401, media_type="application/json")
    if ocp.is_throttled(now.timestamp()):
        return Response(b"", status_code=429, headers={"retry-after": "1"})
    body = await request.body()
    fault = ocp.faults.take(operation.value)
    before = await _fault_before(ocp, fault)
    if before is not None:
        return before
    spec = profile.operations[operation]
    if spec.writes:
        refused = _headers_refused(ocp, request)
        if refused is not None:
            return ocp.envelope([], refused=refused)
    if spec.bulk:
        answer = ocp.write(operation, request.headers.get(profile.headers.request_id, ""), company, body)
    elif operation is Operation.SI_QUERY:
        answer = ocp.query(_document(body))
    elif operation is Operation.STATUS_EVENTS:
        answer = ocp.events(request.query_params)
    elif operation in (Operation.SUBSCRIPTION_ADD, Operation.SUBSCRIPTION_CHANGE):
        answer = ocp.subscribe(_document(body))
    elif operation is Operation.SUBSCRIPTION_INVALIDATE:
        ocp.pusher.url = ""
        answer = ocp.envelope([])
    elif operation is Operation.SUBSCRIPTION_QUERY:
        url = ocp.pusher.url
        answer = ocp.envelope([profile.write("subscription", {"subscription_url": url})] if url else [])
    else:
        answer = ocp.envelope([])
    ocp.push_fresh()
    return await _fault_after(fault) or answer


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _headers_refused(ocp: PretendOcp, request: Request) -> Refused | None:
    names = ocp.profile.headers
    request_id = request.headers.get(names.request_id, "")
    timestamp = request.headers.get(names.timestamp, "")
    if not request_id:
        return Refusal.REQUEST_ID_MISSING, "the request id is missing"
    if not (timestamp.isascii() and timestamp.isdigit()):
        return Refusal.TIMESTAMP_MISSING, "the timestamp is missing"
    if abs(ocp.real().timestamp() - int(timestamp) / 1000) > names.freshness_s:
        return Refusal.TIMESTAMP_STALE, "the timestamp is stale"
    if request_id in ocp.request_ids:
        return Refusal.REQUEST_ID_REPEATED, f"request id {request_id} was used"
    return None


async def _fault_before(ocp: PretendOcp, fault: str) -> Response | None:
    match fault:
        case "unauthorised":
            ocp.tokens.expire_all()
            return Response(b'{"error":"invalid_token"}', status_code=401, media_type="application/json")
        case "throttled":
            return Response(b"", status_code=429, headers={"retry-after": "1"})
        case "error":
            return Response(b"Internal Server Error", status_code=500, media_type="text/plain")
        case "maintenance":
            return Response(b"<html>closed for maintenance</html>", status_code=503, media_type="text/html")
        case "cut_before":
            return Cut()
        case "silence_before":
            await asyncio.sleep(3600)
        case "refuse_whole":
            return ocp.envelope([], refused=(Refusal.FIELD_MALFORMED, "the request is refused whole"))
    return None


async def _fault_after(fault: str) -> Response | None:
    match fault:
        case "error_after":
            return Response(b"Internal Server Error", status_code=500, media_type="text/plain")
        case "gateway_timeout_after":
            return Response(b"<html>504</html>", status_code=504, media_type="text/html")
        case "cut_after":
            return Cut()
        case "broken_json":
            return Response(b'{"code": "0", "data": [', media_type="application/json")
        case "wrong_schema":
            return Response(b'{"result": "fine"}', media_type="application/json")
        case "silence_after":
            await asyncio.sleep(3600)
    return None
