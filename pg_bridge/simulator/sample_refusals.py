"""Samples of what is refused: entries for what they say, and whole requests, of every operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_bridge.profiles.concepts import SI_WRITES, Operation, Refusal
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator import samples as s
from pg_bridge.simulator.faults import Fault, FaultKind
from pg_bridge.simulator.sample_market import market_query
from pg_bridge.simulator.sample_streams import STREAMS

if TYPE_CHECKING:
    from pg_bridge.simulator.sample_stories import Story

FAR_URL = "https://pss.example/ocp/updates"
#: what goes wrong with any call: kind, outcome, meaning
_FAULTS = (
    (FaultKind.DENIED, "token_no_longer_good", "401: get a new token, then call again"),
    (FaultKind.THROTTLED, "throttled", "429: wait as told, then go on with the same request id"),
    (FaultKind.BROKEN, "broken", "500: the outcome is unknown; look for it"),
    (FaultKind.CLOSED, "closed", "503, HTML: nothing was done; wait, then go on with the same request id"),
    (FaultKind.TIMED_OUT, "timed_out", "504: the outcome is unknown; look for it"),
)


class Refusals:
    """What a day's story leaves out: all that OCP does not do."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.bench = story.bench
        self.profile = story.profile

    async def of_entries(self) -> None:
        """Each refusal of an entry."""
        add, bench = Operation.SI_ADD, self.bench
        used = self.story.stated(quantity=60)
        await self.story.write(add, used)
        for refusal, meaning, changes in (
            (Refusal.UNKNOWN_STOCK, "no such stock", {"stock_code": "07777", "isin": None}),
            (Refusal.STOCK_NOT_ELIGIBLE, "a stock that is not eligible", {"stock_code": "09999", "isin": None}),
            (Refusal.NOT_DOMAIN_COUNTER, "a counter that is not settled in", {"stock_code": "80005", "isin": None}),
            (Refusal.UNKNOWN_PARTICIPANT, "no such counterparty", {"counterparty_id": s.STRANGER}),
            (Refusal.UNKNOWN_ACCOUNT, "no such stock account of the participant", {"stock_account": "00000009"}),
            (Refusal.NO_SETTLEMENT_DAY, "a day that is past", {"settlement_date": "2024-01-02"}),
            (Refusal.NOT_OUR_PARTICIPANT, "a participant of another company", {"participant_id": s.BUYER}),
            (Refusal.REFERENCE_USED, "a reference of today", {"request_reference": used["request_reference"]}),
        ):
            await self.story.add(refusal.value, meaning, **changes)
        for refusal, meaning, change in (
            (Refusal.FIELD_MISSING, "a mandatory member is missing", lambda entry: _without(self.profile, entry)),
            (Refusal.FIELD_UNKNOWN, "a member that is none", lambda entry: entry | {"surprise": 1}),
            (Refusal.FIELD_OUT_OF_RANGE, "a quantity of nothing", None),
            (Refusal.FIELD_MALFORMED, "a settlement date that is no date", None),
        ):
            stated = self.story.stated()
            if refusal is Refusal.FIELD_OUT_OF_RANGE:
                stated["quantity"] = 0
            entry = bench.entry(add, stated)
            if refusal is Refusal.FIELD_MALFORMED:
                _put(self.profile, entry, "settlement_date", "soon")
            entry = change(entry) if change else entry
            await bench.call(add, bench.body(add, [entry]), refusal.value, meaning)
        for operation in sorted(SI_WRITES - {add}):
            stated = self.story.stated() | self.story.about("I99999999", hold=True)
            if operation is not Operation.SI_CHANGE:
                stated.pop("participant_reference")
            await self.story.write(
                operation, stated, Refusal.SI_UNKNOWN.value, "no such instruction of this participant"
            )

    async def of_whole_requests(self) -> None:
        """What refuses a whole request, for each operation."""
        bench, names = self.bench, self.profile.headers
        for operation, spec in self.profile.operations.items():
            if operation is Operation.HEALTH:
                continue
            document = self._good(operation)
            for kind, outcome, meaning in _FAULTS:
                bench.ocp.faults.order(Fault(kind=kind, operation=operation.value, work=False))
                await bench.call(operation, document, outcome, meaning)
            await bench.call(operation, document, "no_token", "401: there is no token", headers={"Authorization": None})
            refused = Refusal.NOT_GRANTED.value
            await bench.call(operation, document, refused, "403: not granted", caller=bench.restricted)
            if not spec.writes:
                continue
            request_id = bench.fresh_id()
            await bench.call(operation, document, request_id=request_id)
            repeated = Refusal.REQUEST_ID_REPEATED.value
            meaning = "the request id did work before"
            await bench.call(operation, document, repeated, meaning, request_id=request_id)
            for refusal, meaning, changed in (
                (Refusal.REQUEST_ID_MISSING, "there is no request id", {names.request_id: None}),
                (Refusal.TIMESTAMP_MISSING, "there is no timestamp", {names.timestamp: None}),
                (Refusal.TIMESTAMP_STALE, "the timestamp is an old one", {names.timestamp: "1500000000000"}),
            ):
                await bench.call(operation, document, refusal.value, meaning, headers=changed)
            if names.sign_writes:
                for refusal, meaning, value in (
                    (Refusal.SIGNATURE_MISSING, "there is no signature", None),
                    (Refusal.SIGNATURE_WRONG, "the signature does not fit", "AAAA"),
                ):
                    await bench.call(operation, document, refusal.value, meaning, headers={names.signature: value})
            await bench.call(operation, None, "no_json", "the body is no JSON", raw=b'{"data": [')
            if spec.bulk:
                await self._of_many(operation)
            if operation in SI_WRITES:
                for refusal in (Refusal.OUTSIDE_HOURS, Refusal.MARKET_CLOSED):
                    order = Fault(kind=FaultKind.REFUSED, operation=operation.value, refusal=refusal)
                    bench.ocp.faults.order(order)
                    await bench.call(operation, document, refusal.value, "refused whole, nothing was done")

    async def _of_many(self, operation: Operation) -> None:
        bench = self.bench
        empty = self.profile.write("request", {"entries": []})
        await bench.call(operation, empty, "no_entries", "there is no entry")
        most = self.profile.operations[operation].most
        many = self.profile.write("request", {"entries": [{}] * (most + 1)})
        await bench.call(operation, many, Refusal.TOO_MANY_ENTRIES.value, f"more than {most} entries (empty ones here)")

    def _good(self, operation: Operation) -> Any:
        """A document that the operation takes, about nothing that is there."""
        bench = self.bench
        if operation in SI_WRITES:
            stated = self.story.stated(quantity=70) | self.story.about(self.story.deleted, hold=True)
            if operation is not Operation.SI_CHANGE and operation is not Operation.SI_ADD:
                stated.pop("participant_reference")
            return bench.body(operation, [bench.entry(operation, stated)])
        if operation is Operation.SI_QUERY:
            return bench.query("query", {"participant_id": s.SELLER, "si_number": self.story.pending})
        if operation is Operation.STATUS_EVENTS:
            return bench.query("events_query", {"participant_id": s.SELLER, "business_date": s.TRADE_DAY})
        if operation in (Operation.SUBSCRIPTION_CHANGE, Operation.SUBSCRIPTION_ADD, Operation.SUBSCRIPTION_INVALIDATE):
            return self.profile.write("subscription", {"subscription_url": FAR_URL})
        if operation in STREAMS:
            return bench.query("stream_query", {"participant_id": s.SELLER})
        return {} if operation is Operation.SUBSCRIPTION_QUERY else market_query(bench, operation)


def _without(profile: OcpProfile, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without its quantity."""
    at = entry
    *way, last = profile.place("si", "quantity").members
    for member in way:
        at = at[member]
    at.pop(last)
    return entry


def _put(profile: OcpProfile, entry: dict[str, Any], concept: str, value: Any) -> None:
    """Put a value where a concept stands, as it is."""
    at = entry
    *way, last = profile.place("si", concept).members
    for member in way:
        at = at[member]
    at[last] = value
