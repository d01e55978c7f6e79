"""The rules of the book that are settings: tolerance of money, stock accounts, and the limit at the release of a hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.profiles.concepts import Operation, Payment, Reason, Refusal, Status
from pg_bridge.simulator.life_cycle import BookRules
from pg_bridge.simulator.stated import check_limit
from tests.unit.simulator.test_life_cycle import NOW, Bench

CENTS = st.decimals(0, 10_000, places=2)


@given(mine=CENTS, difference=CENTS, tolerance=CENTS)
def test_amounts_match_within_the_tolerance_and_no_further(mine, difference, tolerance) -> None:
    bench = Bench(money_tolerance=tolerance)
    one, other = bench.add(amount=mine), bench.other(amount=mine + difference)

    assert (difference <= tolerance) == (one.status is Status.MATCHED)
    assert one.status is Status.MATCHED or (one.reason, other.reason) == (Reason.DIFF_AMOUNT,) * 2


@pytest.mark.parametrize("changes", [{"currency": "CNY"}, {"amount": None}, {"quantity": 999}])
def test_a_tolerance_of_money_is_none_of_anything_else(changes) -> None:
    bench = Bench(money_tolerance=Decimal(100_000))
    bench.add()

    assert Status.UNMATCHED is bench.other(**changes).status


def test_who_waits_with_another_amount_leaves_when_it_is_deleted() -> None:
    bench = Bench(money_tolerance=Decimal(1))
    first = bench.add(amount=Decimal("10.00"))
    bench.add(amount=Decimal("10.50"))
    named = {"request_reference": "D1", "participant_id": "B01234", "si_number": first.si_number}
    bench.book.write(Operation.SI_DELETE, named, NOW)
    matched = bench.other(amount=Decimal("9.75"))

    assert [Status.DELETED, Status.MATCHED, Status.UNMATCHED] == [
        first.status,
        matched.status,
        bench.other(amount=Decimal("10.00")).status,
    ]


def test_a_stock_account_must_be_one_of_the_participants_where_these_are_known() -> None:
    bench = Bench(accounts={"B01234": frozenset({"00000001"})})
    refused = bench.book.write(Operation.SI_ADD, bench.stated(stock_account="00000002"), NOW)

    assert [Refusal.UNKNOWN_ACCOUNT] == [refusal for refusal, _ in refused.refusals]
    assert Status.UNMATCHED is bench.add().status
    assert Status.MATCHED is bench.other(stock_account="whatever").status


RULES = BookRules(prices={"00005": Decimal("65.50")}, rates={"USD": Decimal("7.80")})
SI = {"amount": Decimal("1000.00"), "currency": "HKD", "quantity": 100, "stock_code": "00005"}


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, "6550.00"),
        ({"amount": Decimal("6550.01")}, "6550.01"),
        ({"amount": Decimal("1000.00"), "currency": "USD"}, "7800.00"),
        ({"stock_code": "09999"}, "1000.00"),
        ({"stock_code": "09999", "currency": "CNY"}, "1000.00"),
        ({"amount": None, "currency": None}, "6550.00"),
    ],
)
def test_the_larger_of_what_was_input_and_what_the_market_says_is_held_to_the_limit(changes, value) -> None:
    limit = Decimal(value)
    over = check_limit(SI | changes, limit - Decimal("0.01"), RULES)

    assert [] == check_limit(SI | changes, limit, RULES)
    assert [Refusal.OVER_LIMIT] == [refusal for refusal, _ in over]
    assert value in over[0][1]


def test_only_a_release_is_held_to_the_limit_and_only_in_its_state() -> None:
    bench = Bench(prices={"00005": Decimal(100)})
    si = bench.add(hold=True)
    asked = {"participant_id": "B01234", "si_number": si.si_number, "hold": False}

    def release(reference: str, limit: int | None, *, hold: bool = False) -> list[Refusal]:
        stated = asked | {"request_reference": reference, "hold": hold}
        outcome = bench.book.write(Operation.SI_HOLD, stated, NOW, None if limit is None else Decimal(limit))
        return [refusal for refusal, _ in outcome.refusals]

    before_matching = release("H1", 1)
    bench.other()
    over = release("H2", 99_999)
    within = release("H3", 100_000)
    held = release("H4", 1, hold=True)

    assert [[Refusal.WRONG_STATE], [Refusal.OVER_LIMIT], [], []] == [before_matching, over, within, held]
    assert (Status.MATCHED_ON_HOLD, date(2026, 11, 25)) == (si.status, si.stated["settlement_date"])
    assert Payment.DVP is si.payment
