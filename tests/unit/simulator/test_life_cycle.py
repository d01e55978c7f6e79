"""The life of an SI in the pretend OCP's book."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.profiles.concepts import SI_INPUT, Direction, EventType, Operation, Payment, Reason, Refusal, Status
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.life_cycle import FINAL, TRANSITIONS, Act, BookRules, Si, Stock
from pg_bridge.simulator.si_book import SiBook

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=HONG_KONG)
DUE = datetime(2026, 11, 25, 10, 30, tzinfo=HONG_KONG)


class Bench:
    """A book with two participants that write to it."""

    def __init__(self, **rules) -> None:
        self.book = SiBook(BookRules(**rules))
        self.references = 0

    def reference(self) -> str:
        self.references += 1
        return f"R{self.references}"

    def stated(self, **changes) -> dict:
        reference = self.reference()
        values = {
            "request_reference": reference,
            "participant_reference": reference,
            "participant_id": "B01234",
            "counterparty_id": "C00019",
            "market": "HKMK",
            "direction": Direction.DELIVER,
            "payment_instruction": Payment.DVP,
            "stock_code": "00005",
            "isin": "HK0005000002",
            "quantity": 1000,
            "currency": "HKD",
            "amount": Decimal("12345.67"),
            "settlement_date": date(2026, 11, 25),
            "stock_account": "00000001",
            "hold": False,
        }
        return dict.fromkeys(SI_INPUT) | values | changes

    def add(self, **changes) -> Si:
        outcome = self.book.write(Operation.SI_ADD, self.stated(**changes), NOW)
        assert outcome.si is not None, outcome.refusals
        return outcome.si

    def other(self, **changes) -> Si:
        sides = {"participant_id": "C00019", "counterparty_id": "B01234", "direction": Direction.RECEIVE}
        return self.add(**{**sides, **changes})

    def pair(self, **changes) -> tuple[Si, Si]:
        return self.add(**changes), self.other(**changes)

    def write(self, operation: Operation, si: Si, now: datetime = NOW, **changes):
        asked = {
            "request_reference": self.reference(),
            "participant_id": si.participant,
            "si_number": si.si_number,
            "participant_reference": None,
            "version": None,
        }
        return self.book.write(operation, asked | changes, now)

    def told(self) -> list[tuple[str, EventType, Status]]:
        return [(event.participant, event.event_type, event.new_status) for event in self.book.take_events()]


def test_both_sides_are_created_then_matched() -> None:
    bench = Bench()
    bench.pair()

    assert [
        ("B01234", EventType.CREATED, Status.UNMATCHED),
        ("C00019", EventType.CREATED, Status.UNMATCHED),
        ("C00019", EventType.MATCHED, Status.MATCHED),
        ("B01234", EventType.MATCHED, Status.MATCHED),
    ] == bench.told()


@pytest.mark.parametrize(
    ("own", "theirs", "status", "reasons"),
    [
        (False, False, Status.MATCHED, (None, None)),
        (True, False, Status.MATCHED_ON_HOLD, (Reason.HOLD_OWN, Reason.HOLD_COUNTERPARTY)),
        (False, True, Status.MATCHED_ON_HOLD, (Reason.HOLD_COUNTERPARTY, Reason.HOLD_OWN)),
        (True, True, Status.MATCHED_ON_HOLD, (Reason.HOLD_BOTH, Reason.HOLD_BOTH)),
    ],
)
def test_a_hold_of_either_side_holds_both(own, theirs, status, reasons) -> None:
    bench = Bench()
    si, other = bench.add(hold=own), bench.other(hold=theirs)

    assert (status, status) == (si.status, other.status)
    assert reasons == (si.reason, other.reason)


def test_it_is_matched_only_when_the_last_holder_releases() -> None:
    bench = Bench()
    si, other = bench.pair(hold=True)
    bench.write(Operation.SI_HOLD, si, hold=False)

    assert (Status.MATCHED_ON_HOLD, Reason.HOLD_COUNTERPARTY) == (si.status, si.reason)
    assert (Status.MATCHED_ON_HOLD, Reason.HOLD_OWN) == (other.status, other.reason)

    bench.write(Operation.SI_HOLD, other, hold=False)

    assert (Status.MATCHED, None) == (si.status, si.reason)


def test_a_hold_before_matching_and_a_second_hold_are_refused() -> None:
    bench = Bench()
    early = bench.write(Operation.SI_HOLD, bench.add(quantity=7), hold=True)
    si, _ = bench.pair()
    bench.write(Operation.SI_HOLD, si, hold=True)
    again = bench.write(Operation.SI_HOLD, si, hold=True)

    assert Refusal.WRONG_STATE == early.refusals[0][0]
    assert Refusal.WRONG_STATE == again.refusals[0][0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": 999}, Reason.DIFF_QUANTITY),
        ({"settlement_date": date(2026, 11, 26)}, Reason.DIFF_DATE),
        ({"amount": Decimal("12345.68")}, Reason.DIFF_AMOUNT),
        ({"currency": "CNY"}, Reason.DIFF_AMOUNT),
        ({"stock_code": "00011", "isin": None}, Reason.DIFF_SECURITY),
        ({"market": "MAMK"}, Reason.DIFF_SECURITY),
        ({"payment_instruction": Payment.RDP}, Reason.DIFF_PAYMENT),
        ({"counterparty_id": "A00003"}, Reason.AWAIT_COUNTERPARTY),
        ({"quantity": 1, "amount": Decimal("1.00"), "market": "MAMK"}, Reason.AWAIT_COUNTERPARTY),
    ],
)
def test_what_does_not_match_names_the_item_to_both(changes, reason) -> None:
    bench = Bench()
    si, other = bench.add(), bench.other(**changes)

    assert (Status.UNMATCHED, reason) == (si.status, si.reason)
    assert (Status.UNMATCHED, reason) == (other.status, other.reason)


def test_accounts_match_only_when_so_set() -> None:
    named = {"counterparty_account": "99999999"}
    loose, strict = Bench(), Bench(match_accounts=True)

    assert Status.MATCHED == (loose.add(**named), loose.other())[1].status
    assert Reason.DIFF_ACCOUNT == (strict.add(**named), strict.other())[1].reason


def test_one_side_may_name_the_stock_by_code_and_the_other_by_both() -> None:
    bench = Bench()
    bench.add(isin=None)

    assert Status.MATCHED == bench.other().status


def test_free_of_payment_does_not_look_at_money() -> None:
    bench = Bench()
    bench.add(payment_instruction=Payment.FOP, amount=None, currency=None)

    assert Status.MATCHED == bench.other(payment_instruction=Payment.FOP, amount=Decimal(1)).status


def test_a_difference_is_told_away_when_its_cause_leaves() -> None:
    bench = Bench()
    si, other = bench.add(), bench.other(quantity=999)
    bench.told()
    bench.write(Operation.SI_DELETE, other)

    assert [
        ("C00019", EventType.DELETED, Status.DELETED),
        ("B01234", EventType.UNMATCHED, Status.UNMATCHED),
    ] == bench.told()
    assert Reason.AWAIT_COUNTERPARTY == si.reason


def test_a_change_makes_it_match_and_keeps_the_first_reference() -> None:
    bench = Bench()
    si, other = bench.add(), bench.other(quantity=999)
    changed = bench.stated(si_number=other.si_number, participant_id="C00019", counterparty_id="B01234")
    changed |= {"direction": Direction.RECEIVE, "version": other.version}
    first = other.stated["request_reference"]
    outcome = bench.book.write(Operation.SI_CHANGE, changed, NOW)

    assert () == outcome.refusals
    assert (Status.MATCHED, Status.MATCHED) == (si.status, other.status)
    assert (first, changed["request_reference"]) == (other.stated["request_reference"], other.last_request_reference)


def test_scheduled_matching_waits_for_its_run() -> None:
    bench = Bench(match_at_once=False)
    si, _ = bench.pair()

    assert Status.UNMATCHED == si.status
    assert 1 == bench.book.match_waiting(NOW)
    assert Status.MATCHED == si.status


def test_one_that_agrees_and_awaits_the_run_is_no_near_miss() -> None:
    bench = Bench(match_at_once=False)
    si, wrong = bench.add(), bench.other(amount=Decimal("1.00"))
    bench.book.match_waiting(NOW)
    right = bench.other()
    bench.write(Operation.SI_DELETE, wrong)

    assert (Status.UNMATCHED, None) == (si.status, si.near)
    assert 1 == bench.book.match_waiting(NOW)
    assert si is right.partner


def test_the_oldest_of_two_alike_matches_first() -> None:
    bench = Bench()
    first, second = bench.add(), bench.add()
    other = bench.other()

    assert first is other.partner
    assert Status.UNMATCHED == second.status


@pytest.mark.parametrize(
    ("payment", "rules", "status"),
    [
        (Payment.FOP, {}, Status.SETTLED),
        (Payment.DVP, {}, Status.SETTLED),
        (Payment.DVP, {"dvp_shares_on_hold": True}, Status.SHARES_ON_HOLD),
        (Payment.RDP, {}, Status.SHARES_ON_HOLD),
    ],
)
def test_a_run_settles_what_is_due(payment, rules, status) -> None:
    bench = Bench(**rules)
    si, other = bench.pair(payment_instruction=payment)

    assert 0 == bench.book.settle(NOW)
    assert 1 == bench.book.settle(DUE)
    assert (status, status) == (si.status, other.status)


def test_shares_on_hold_settle_when_paid_and_return_when_not() -> None:
    bench = Bench()
    si, other = bench.pair(payment_instruction=Payment.RDP)
    bench.book.settle(DUE)
    bench.book.pay(DUE, paid=False)

    assert Status.MATCHED == si.status

    bench.book.settle(DUE)
    bench.book.pay(DUE, other.si_number)

    assert (Status.SETTLED, Status.SETTLED) == (si.status, other.status)


def test_what_lacks_fails_at_day_end_and_settles_at_the_next_run() -> None:
    bench = Bench()
    si, other = bench.pair()
    bench.book.set_lack(si.si_number, Reason.LACK_SECURITIES)
    bench.book.settle(DUE)
    bench.book.end_day(DUE)

    assert (Status.FAILING, Reason.LACK_SECURITIES) == (si.status, si.reason)
    assert (Status.FAILING, Reason.LACK_SECURITIES_COUNTERPARTY) == (other.status, other.reason)

    bench.book.set_lack(si.si_number, None)
    bench.book.settle(DUE + timedelta(days=1))

    assert Status.SETTLED == si.status


def test_a_run_leaves_what_is_on_hold() -> None:
    bench = Bench()
    si, _ = bench.add(hold=True), bench.other()
    bench.book.settle(DUE)

    assert Status.MATCHED_ON_HOLD == si.status


def test_unmatched_is_purged_after_its_retention() -> None:
    bench = Bench(retention_days=10)
    si = bench.add()
    bench.book.end_day(DUE + timedelta(days=9))

    assert Status.UNMATCHED == si.status

    bench.book.end_day(DUE + timedelta(days=10))

    assert (Status.PURGED, Reason.BY_SYSTEM) == (si.status, si.reason)


def test_revoke_needs_both_by_default() -> None:
    bench = Bench()
    si, other = bench.pair()
    bench.write(Operation.SI_REVOKE, si)

    assert Status.MATCHED == si.status
    assert (True, False) == (si.values()["revoke_own"], si.values()["revoke_counterparty"])
    assert Refusal.WAITS_FOR_OTHER_USER == bench.write(Operation.SI_REVOKE, si).refusals[0][0]

    bench.write(Operation.SI_REVOKE, other)

    assert (Status.REVOKED, Reason.BY_BOTH) == (si.status, si.reason)


def test_revoke_by_one_when_so_set() -> None:
    bench = Bench(revoke_by_both=False)
    si, other = bench.pair()
    bench.write(Operation.SI_REVOKE, si)

    assert (Status.REVOKED, Reason.BY_USER) == (other.status, other.reason)


def test_maker_checker_waits_for_the_authorisation() -> None:
    bench = Bench(maker_checker=frozenset({"B01234"}))
    si, other = bench.pair()

    assert (Status.PENDING, Status.UNMATCHED) == (si.status, other.status)

    bench.write(Operation.SI_AUTHORISE, si)

    assert (Status.MATCHED, Status.MATCHED) == (si.status, other.status)


def test_a_write_names_everything_that_is_wrong() -> None:
    stocks = {"00005": Stock(isin="HK0005000002"), "00700": Stock(eligible=False), "80005": Stock(domain=False)}
    bench = Bench(stocks=stocks, participants=frozenset({"B01234", "C00019"}))

    def refused(**changes) -> list[Refusal]:
        outcome = bench.book.write(Operation.SI_ADD, bench.stated(**changes), NOW)
        return [refusal for refusal, _ in outcome.refusals]

    wrong = {"stock_code": "09999", "isin": None, "counterparty_id": "X00000", "settlement_date": date(2026, 11, 22)}

    assert [] == refused(isin=None)
    assert [Refusal.UNKNOWN_STOCK, Refusal.UNKNOWN_PARTICIPANT, Refusal.NO_SETTLEMENT_DAY] == refused(**wrong)
    assert [Refusal.UNKNOWN_STOCK] == refused(isin="HK0011000095")
    assert [Refusal.STOCK_NOT_ELIGIBLE] == refused(stock_code="00700", isin=None)
    assert [Refusal.NOT_DOMAIN_COUNTER] == refused(stock_code="80005", isin=None)
    assert [Refusal.NO_SETTLEMENT_DAY] == refused(settlement_date=date(2026, 11, 28))
    assert [Refusal.REFERENCE_USED] == refused(request_reference="R1")


def test_foreign_unknown_and_outdated_sis_are_refused() -> None:
    bench = Bench()
    si, _ = bench.pair()

    def refused(**changes) -> Refusal:
        return bench.write(Operation.SI_HOLD, si, hold=True, **changes).refusals[0][0]

    assert Refusal.SI_UNKNOWN == refused(participant_id="C00019")
    assert Refusal.SI_UNKNOWN == refused(si_number="I99999999")
    assert Refusal.SI_UNKNOWN == refused(participant_reference="NOTMINE")
    assert Refusal.VERSION_DIFFERS == refused(version=si.version - 1)


def test_the_table_starts_nothing_from_a_final_state_and_knows_every_act() -> None:
    assert set() == {status for status, _ in TRANSITIONS} & FINAL
    assert set(Act) == {act for _, act in TRANSITIONS}
    assert set(Status) == {status for to in TRANSITIONS.values() for status in to}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "other", "hold", "release", "delete", "revoke", "settle", "pay", "day", "authorise"]),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, at_once=st.booleans(), checked=st.booleans())
def test_sequences_have_no_gaps_and_every_step_is_in_the_table(steps, at_once, checked) -> None:
    bench = Bench(match_at_once=at_once, maker_checker=frozenset({"B01234"} if checked else ()))
    moves = {(was, to) for (was, _), every in TRANSITIONS.items() for to in every}
    now, sis, last = NOW, [], {}
    for name, index, flag in steps:
        if name in ("add", "other"):
            sis.append(getattr(bench, name)(hold=flag))
        elif name in ("settle", "pay", "day"):
            {"settle": bench.book.settle, "pay": bench.book.pay, "day": bench.book.end_day}[name](DUE)
            now = DUE
        elif sis:
            operation = {
                "hold": Operation.SI_HOLD,
                "release": Operation.SI_HOLD,
                "delete": Operation.SI_DELETE,
                "revoke": Operation.SI_REVOKE,
                "authorise": Operation.SI_AUTHORISE,
            }[name]
            bench.write(operation, sis[index % len(sis)], now, hold=name == "hold")
        bench.book.match_waiting(now)
        for event in bench.book.take_events():
            day = (event.participant, event.business_date)
            assert last.get(day, 0) + 1 == event.sequence
            last[day] = event.sequence
            was, to = event.previous_status, event.new_status
            assert was == to or (was, to) in moves
    for si in sis:
        if si.partner is not None:
            assert si.status is si.partner.status
