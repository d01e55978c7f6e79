"""Which samples there are: every operation with every outcome that it can have, in the order of a short day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pg_bridge.profiles.concepts import SI_INPUT, Direction, EventType, Operation, Payment, Reason, Refusal
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator import samples as s
from pg_bridge.simulator.clock import Run
from pg_bridge.simulator.sample_market import market_samples
from pg_bridge.simulator.sample_refusals import FAR_URL, Refusals
from pg_bridge.simulator.sample_streams import stream_samples


def left_out(profile: OcpProfile, samples: Sequence[s.Sample]) -> dict[str, str]:
    """The codes of refusals that no sample shows, each with the reason."""
    shown = {one.outcome for one in samples}
    reasons = {
        Refusal.VERSION_DIFFERS: "no request of this profile states a version",
        Refusal.SIGNATURE_MISSING: "calls are not signed by this profile",
        Refusal.SIGNATURE_WRONG: "calls are not signed by this profile",
        Refusal.TOO_MANY_ENTRIES: "a request holds one entry by this profile",
        Refusal.FIELD_OUT_OF_RANGE: "a value out of its range is malformed by this profile",
    }
    return {
        profile.code("refusal", refusal): reasons.get(refusal, "the pretend OCP never refuses so")
        for refusal in Refusal
        if refusal.value not in shown
    }


async def make_samples(profile: OcpProfile) -> list[s.Sample]:
    """All samples. Raises BridgeError when the pretend OCP cannot be asked."""
    async with s.bench(profile) as bench:
        story = Story(bench)
        await story.tokens()
        await story.inputs()
        await story.life()
        refusals = Refusals(story)
        await refusals.of_entries()
        await story.enquiries()
        await story.subscriptions()
        await story.others()
        await market_samples(bench)
        await refusals.of_whole_requests()
        story.deliveries()
        await stream_samples(bench)
        return bench.samples


class Story:
    """The day, in parts."""

    def __init__(self, bench: s.Bench) -> None:
        self.bench = bench
        self.profile = bench.profile
        self._count = 0
        self._codes = {name: bench.first_code(name) for name in ("market", "currency", "purpose")}

    # --- what is stated

    def reference(self) -> str:
        """A new reference."""
        self._count += 1
        return f"B01234{self._count:05d}"

    def stated(self, **changes: Any) -> dict[str, Any]:
        """An input of the seller: every concept, but for what is changed."""
        reference = self.reference()
        return {
            **dict.fromkeys(SI_INPUT),
            **self._codes,
            "request_reference": reference,
            "participant_reference": reference,
            "participant_id": s.SELLER,
            "counterparty_id": s.BUYER,
            "direction": Direction.DELIVER,
            "payment_instruction": Payment.DVP,
            "stock_code": s.STOCK,
            "isin": s.ISIN,
            "quantity": 1000,
            "amount": "12345.67",
            "trade_date": s.TRADE_DAY,
            "settlement_date": s.SETTLEMENT_DAY,
            "stock_account": s.ACCOUNT,
            "hold": False,
            **changes,
        }

    def other_side(self, **changes: Any) -> dict[str, Any]:
        """The buyer's input that agrees with it."""
        sides = {"participant_id": s.BUYER, "counterparty_id": s.SELLER, "direction": Direction.RECEIVE}
        return self.stated(**sides, **changes)

    def about(self, number: str, **changes: Any) -> dict[str, Any]:
        """What a write about an SI of the seller states."""
        return {"request_reference": self.reference(), "participant_id": s.SELLER, "si_number": number, **changes}

    async def write(
        self,
        operation: Operation,
        stated: Mapping[str, Any],
        outcome: str = "",
        meaning: str = "",
        caller: s.Caller | None = None,
    ) -> str:
        """Write one entry; gives the SI's number."""
        bench = self.bench
        body = bench.body(operation, [bench.entry(operation, stated)])
        answer = await bench.call(operation, body, outcome, meaning, caller=caller)
        entries = self.profile.get("envelope", "entries", answer)
        entry = entries[0] if isinstance(entries, list) and entries else entries
        return str(self.profile.get("answer", "si_number", entry) or "")

    async def add(self, outcome: str = "", meaning: str = "", **changes: Any) -> str:
        """Enter an SI of the seller."""
        return await self.write(Operation.SI_ADD, self.stated(**changes), outcome, meaning)

    async def add_other(self, **changes: Any) -> str:
        """Enter one of the buyer."""
        return await self.write(Operation.SI_ADD, self.other_side(**changes), caller=self.bench.buyer)

    # --- the parts of the day

    async def tokens(self) -> None:
        """A token, and each refusal of one."""
        bench = self.bench
        now = int(bench.ocp.wall().timestamp())
        seller = bench.seller
        await bench.ask_token("given", "a token for some seconds", bench.form(seller))
        for outcome, meaning, claims in (
            ("expired", "the assertion's time is over", {"exp": now - 1}),
            ("too_long_lived", "the assertion would live too long", {"exp": now + 86_400}),
            ("wrong_audience", "the assertion is for another", {"aud": "https://elsewhere.example"}),
            ("unknown_subject", "nobody of this name is registered", {"sub": "CP99999", "iss": "CP99999"}),
        ):
            await bench.ask_token(outcome, meaning, bench.form(seller, **claims))
        form = bench.form(seller)
        await bench.ask_token("unreadable", "the machine's assertion is no JWT", form | {"client_assertion": "x"})
        await bench.ask_token("grant_unknown", "the grant is none", form | {"grant_type": "password"})
        form.pop("client_assertion")
        await bench.ask_token("incomplete", "an assertion is missing", form)

    async def inputs(self) -> None:
        """Inputs that are accepted."""
        bench = self.bench
        for payment in (Payment.FOP, Payment.RDP):
            money = {"amount": None, "currency": None} if payment is Payment.FOP else {}
            kind = payment.value
            await self.add(
                f"accepted_{kind}", f"an instruction is entered, {kind}", payment_instruction=payment, **money
            )
        await self.add("accepted_on_hold", "entered on hold", hold=True)
        bench.ocp.book.set_rules(maker_checker=frozenset({s.SELLER}))
        self.pending = await self.add("accepted_pending", "it waits for a second user", quantity=7)
        bench.ocp.book.set_rules(maker_checker=frozenset())
        if self.profile.operations[Operation.SI_ADD].bulk:
            entries = [self.stated(quantity=11), self.stated(settlement_date="2024-01-02"), self.stated(quantity=12)]
            body = bench.body(Operation.SI_ADD, [bench.entry(Operation.SI_ADD, one) for one in entries])
            meaning = "of three entries one is refused; the others are entered"
            await bench.call(Operation.SI_ADD, body, "accepted_in_part", meaning)

    async def life(self) -> None:
        """Every other write as it is accepted, and runs, so that there are events of every kind."""
        write = self.write
        meaning = "the pending instruction goes on to be matched"
        await write(Operation.SI_AUTHORISE, self.about(self.pending), "accepted", meaning)
        meaning = "of an instruction in a state that has nothing to authorise"
        await write(Operation.SI_AUTHORISE, self.about(self.pending), "wrong_state", meaning)
        number = await self.add("accepted", "an instruction is entered", quantity=20)
        changed = self.stated(quantity=21) | self.about(number)
        await write(Operation.SI_CHANGE, changed, "accepted", "all that it states is replaced")
        await write(Operation.SI_DELETE, self.about(number), "accepted", "the instruction is deleted")
        await write(Operation.SI_DELETE, self.about(number), "wrong_state", "it was deleted before")
        changed = self.stated(quantity=22) | self.about(number)
        await write(Operation.SI_CHANGE, changed, "wrong_state", "it was deleted before")
        mine = await self.add(quantity=30)
        other = await self.add_other(quantity=30)
        await write(Operation.SI_HOLD, self.about(mine, hold=True), "accepted_hold", "the matched instruction is held")
        await write(Operation.SI_HOLD, self.about(mine, hold=True), "wrong_state", "it is on hold already")
        await write(Operation.SI_HOLD, self.about(mine, hold=False), "accepted_release", "and released")
        await write(Operation.SI_REVOKE, self.about(mine), "accepted_waits", "the counterparty must revoke, too")
        await write(Operation.SI_REVOKE, self.about(mine), "waits_for_other_user", "it is asked for already")
        revoked = {"request_reference": self.reference(), "participant_id": s.BUYER, "si_number": other}
        await write(Operation.SI_REVOKE, revoked, "accepted", "both have asked: it is gone", caller=self.bench.buyer)
        await write(Operation.SI_REVOKE, self.about(mine), "wrong_state", "it was revoked before")
        self.deleted = number
        held = await self.add(quantity=31, amount="5000000.00", hold=True)
        await self.add_other(quantity=31, amount="5000000.00")
        meaning = "the release would let go more than the participant may"
        await write(Operation.SI_HOLD, self.about(held, hold=False), Refusal.OVER_LIMIT.value, meaning)
        for payment, quantity in ((Payment.DVP, 40), (Payment.RDP, 41), (Payment.DVP, 42)):
            last = await self.add(quantity=quantity, payment_instruction=payment)
            await self.add_other(quantity=quantity, payment_instruction=payment)
        await self.add(quantity=50)
        await self.add_other(quantity=51)
        self._runs(last)

    def _runs(self, lacking: str) -> None:
        """Settlement, payment, a failure, and the end of what waited too long."""
        ocp = self.bench.ocp
        now = ocp.clock.now()
        ocp.book.set_lack(lacking, Reason.LACK_SECURITIES)
        day = now.replace(day=now.day + 2)
        for run, moment in ((Run.SETTLE, day), (Run.NOT_PAID, day), (Run.SETTLE, day), (Run.PAY, day)):
            ocp.run(run, moment)
        ocp.run(Run.DAY_END, day.replace(hour=20))

    async def enquiries(self) -> None:
        """What is found, nothing found, a page of many; and events."""
        bench = self.bench
        for outcome, meaning, values in (
            ("found", "one instruction by its number", {"si_number": self.pending}),
            (
                "found_by_day",
                "all that were entered on a day, a page of them",
                {"business_date": s.TRADE_DAY, "size": 2},
            ),
            ("found_next_page", "and the next page", {"business_date": s.TRADE_DAY, "size": 2, "cursor": "2"}),
            ("found_deleted", "those deleted today", {"deleted_today": True}),
            ("nothing_found", "no such reference", {"request_reference": "NOSUCHREFERENCE"}),
        ):
            document = bench.query("query", {"participant_id": s.SELLER} | values)
            await bench.call(Operation.SI_QUERY, document, outcome, meaning)
        for outcome, meaning, values in (
            ("found", "the first events of a day", {"business_date": s.TRADE_DAY, "after_sequence": 0, "size": 3}),
            ("nothing_found", "none behind that sequence", {"business_date": s.TRADE_DAY, "after_sequence": 9999}),
        ):
            document = bench.query("events_query", {"participant_id": s.SELLER} | values)
            await bench.call(Operation.STATUS_EVENTS, document, outcome, meaning)
        for operation, group in ((Operation.SI_QUERY, "query"), (Operation.STATUS_EVENTS, "events_query")):
            values = {"participant_id": s.BUYER} | ({"business_date": s.TRADE_DAY} if group == "events_query" else {})
            refusal = Refusal.NOT_OUR_PARTICIPANT.value
            await bench.call(operation, bench.query(group, values), refusal, "a participant of another company")
            await bench.call(operation, {}, Refusal.FIELD_MISSING.value, "it does not say whose")

    async def subscriptions(self) -> None:
        """Add, change, list, end; and what cannot be ended."""
        bench = self.bench
        types = [next(iter(self._event_codes()))]
        document = self.profile.write("subscription", {"subscription_url": FAR_URL})
        some = self.profile.write("subscription", {"subscription_url": FAR_URL, "subscription_events": types})
        no_key = self.profile.write("subscription", {"subscription_url": FAR_URL, "subscription_key_id": "no such key"})
        elsewhere = self.profile.write("subscription", {"subscription_url": f"{FAR_URL}/other"})
        await bench.call(Operation.SUBSCRIPTION_ADD, document, "accepted", "all events go to this URL from now on")
        await bench.call(Operation.SUBSCRIPTION_ADD, no_key, "unknown_key", "no such key signs deliveries")
        await bench.call(Operation.SUBSCRIPTION_CHANGE, some, "accepted", "only events of some types")
        await bench.call(Operation.SUBSCRIPTION_CHANGE, elsewhere, "unknown_url", "nothing goes to this URL")
        await bench.call(Operation.SUBSCRIPTION_QUERY, {}, "found", "all of the company")
        await bench.call(Operation.SUBSCRIPTION_INVALIDATE, document, "accepted", "no more goes to this URL")
        await bench.call(Operation.SUBSCRIPTION_INVALIDATE, document, "unknown_url", "nothing goes to this URL")
        await bench.call(Operation.SUBSCRIPTION_QUERY, {}, "nothing_found", "the company has none")

    def _event_codes(self) -> list[str]:
        return [self.profile.code("event_type", one) for one in EventType]

    async def others(self) -> None:
        """What needs no document."""
        for operation in (Operation.HEALTH, Operation.ECHO, Operation.CRYPTO_META):
            await self.bench.call(operation, None, "accepted", "it answers")

    def deliveries(self) -> None:
        """One push of each type of event that there was."""
        seen: set[str] = set()
        ocp = self.bench.ocp
        for day in (ocp.clock.now().date(), ocp.clock.now().date().replace(day=25)):
            for participant in (s.SELLER, s.BUYER):
                for raw in ocp.events(participant, day):
                    code = self.profile.get("event", "event_type", msgspec.json.decode(raw))
                    kind = self.profile.meaning("event_type", code)
                    if kind is not None and kind.value not in seen:
                        seen.add(kind.value)
                        self.bench.keep_delivery(
                            kind.value, "one event, signed; answered by 2xx when it is durable", raw
                        )
