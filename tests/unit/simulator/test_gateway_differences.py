"""Differences on demand: each kind is made, kept, and made of nothing else than what was ordered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pg_bridge.simulator.clock import Run
from pg_bridge.simulator.gateway_differences import MEANINGS, DifferenceKind, DifferenceMade, DifferenceOrder
from tests.doubles.gateways import BUYER, MONDAY, SELLER, GatewayWorld

Told = list[tuple[str, str]]


def day(*orders: DifferenceOrder, seed: int = 0, set_name: str = "shipped") -> tuple[Told, list[DifferenceMade]]:
    """What a day's traffic tells, with these differences, and which were made."""
    world = GatewayWorld(set_name, seed=seed)
    for order in orders:
        world.gateway.differences.order(order)
    told: Told = []
    world.pair()
    told += world.told()
    world.send(SELLER, "hold", reference="H1", named="S1")
    world.send(SELLER, "release", reference="H2", named="S1")
    told += world.told()
    world.send(SELLER, "delete_delivery", reference="D1", named="S1", counterparty=BUYER)
    world.send(SELLER, "enquire", reference="E1", named="S1")
    told += world.told()
    world.now = MONDAY + timedelta(days=2)
    world.gateway.run(Run.SETTLE)
    told += world.told()
    world.now += timedelta(days=1)
    return told + world.told(), world.gateway.differences.made


@pytest.mark.parametrize("set_name", ["shipped", "legacy_b"])
@pytest.mark.parametrize("kind", DifferenceKind)
def test_each_kind_is_made_and_kept(kind: DifferenceKind, set_name: str) -> None:
    usual, none = day(set_name=set_name)
    told, made = day(DifferenceOrder(kind=kind, most=1), set_name=set_name)

    assert [] == none
    assert [kind] == [one.kind for one in made]
    assert usual != told
    assert made[0].reference
    assert SELLER == made[0].participant or BUYER == made[0].participant


@pytest.mark.parametrize(
    ("kind", "was", "now"),
    [
        (DifferenceKind.OTHER_AMOUNT, "SETTRAN/19A:SETT HKD5000,00", "SETTRAN/19A:SETT HKD5000,01"),
        (DifferenceKind.OTHER_QUANTITY, "SETTRAN/36B:SETT UNIT/1000,", "SETTRAN/36B:SETT UNIT/1001,"),
        (DifferenceKind.OTHER_DATE, "SETTRAN/98A:SETT 20261125", "SETTRAN/98A:SETT 20261126"),
        (DifferenceKind.OTHER_PARTY, "SETTRAN/SETPRTY[95R]/95R:DEAG B01234", "SETTRAN/SETPRTY[95R]/95R:DEAG B01230"),
        (DifferenceKind.OTHER_ACCOUNT, "SETTRAN/97A:SAFE 00000001", "SETTRAN/97A:SAFE 00000000"),
        (DifferenceKind.OTHER_REASON_TEXT, "GENL/STAT/REAS/70D:REAS MATCHED", "GENL/STAT/REAS/70D:REAS TOLD OTHERWISE"),
    ],
)
def test_what_is_told_otherwise_is_kept_by_its_place(kind: DifferenceKind, was: str, now: str) -> None:
    _, made = day(DifferenceOrder(kind=kind, templates=["SI60"], most=1))

    assert [((was,), (now,))] == [(one.was, one.now) for one in made]


@pytest.mark.parametrize("kind", [DifferenceKind.OTHER_STATUS_CODE, DifferenceKind.OTHER_REASON_CODE])
def test_another_code_is_one_of_the_data(kind: DifferenceKind) -> None:
    _, made = day(DifferenceOrder(kind=kind, templates=["SI60"]))

    assert 6 == len(made)
    assert all(1 == len(one.was) == len(one.now) for one in made)
    assert all(one.was[0].split(" ")[0] == one.now[0].split(" ")[0] for one in made)


def test_an_instruction_that_is_refused_is_not_done_and_one_that_is_accepted_was_not() -> None:
    world = GatewayWorld()
    world.gateway.differences.order(
        DifferenceOrder(kind=DifferenceKind.REFUSED_FOR_ACCEPTED, templates=["SI01"], most=1)
    )
    world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.ACCEPTED_FOR_REFUSED, templates=["SI04"]))
    (refused,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    world.pair()
    (entered,) = world.send(SELLER, "deliver", reference="S2", counterparty=BUYER)
    (accepted,) = world.send(SELLER, "delete_delivery", reference="D1", named="NOSUCH", counterparty=BUYER)

    assert ":25D::IPRC//REJT" in refused
    assert ":25D::IPRC//PACK" in entered
    assert ":25D::CPRC//PACK" in accepted
    assert 2 == len(world.gateway.book.register)


def test_an_si_may_be_named_by_the_number_that_was_told() -> None:
    world = GatewayWorld()
    world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.OTHER_SI_NUMBER, templates=["SI51"]))
    (answer,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    (found,) = world.send(SELLER, "enquire", reference="E1", named="J00000001")

    assert ":20C::PREV//J00000001" in answer
    assert ":20C::PREV//I50000001" in found


def test_a_late_status_comes_when_it_is_due() -> None:
    world = GatewayWorld()
    world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.STATUS_LATE, most=1, late_s=90))
    world.pair()
    first = world.unasked()
    due = world.gateway.next_due
    world.now += timedelta(seconds=90)
    late = world.unasked()

    assert [SELLER] == [notice.participant for notice in first]
    assert [BUYER] == [notice.participant for notice in late]
    assert world.now == due


def test_a_status_out_of_order_comes_behind_the_participants_next_one() -> None:
    world = GatewayWorld()
    world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.STATUS_ORDER, most=1))
    world.pair()
    first = world.unasked()
    world.send(SELLER, "hold", reference="H1", named="S1")
    rest = [notice.body.decode() for notice in world.unasked() if notice.participant == BUYER]

    assert [SELLER] == [notice.participant for notice in first]
    assert [":24B::PEND//PRCY", ":24B::PEND//FUTU"] == [
        next(line for line in body.split("\r\n") if ":24B:" in line) for body in rest
    ]


def test_every_nth_and_no_more_than_so_many() -> None:
    order = DifferenceOrder(kind=DifferenceKind.STATUS_MISSING, templates=["SI60"], every=2)
    usual, _ = day()
    told, made = day(order)
    _, at_most = day(DifferenceOrder(kind=DifferenceKind.STATUS_MISSING, templates=["SI60"], every=2, most=1))

    assert 3 == len(made)
    assert 3 == len(usual) - len(told)
    assert 1 == len(at_most)


def test_a_share_differs_by_the_seed_and_by_nothing_else() -> None:
    order = DifferenceOrder(kind=DifferenceKind.STATUS_EXTRA, share=0.5)
    runs = [day(order, seed=seed) for seed in range(8)]

    assert runs == [day(order, seed=seed) for seed in range(8)]
    assert 1 < len({len(made) for _, made in runs})


def test_when_orders_are_taken_back_what_was_made_stays_told() -> None:
    world = GatewayWorld()
    world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.STATUS_MISSING))
    world.pair()
    world.gateway.differences.clear()
    world.pair("2", quantity="2")

    assert [] == world.gateway.differences.orders
    assert 2 == len(world.gateway.differences.made)
    assert 2 == len(world.unasked())


def test_each_kind_says_what_it_does() -> None:
    assert list(DifferenceKind) == list(MEANINGS)
    assert 12 <= len(DifferenceKind)
