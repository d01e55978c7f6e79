"""The pretend PG behind its socket: what it answers and tells. Shipped words, and those of quite another PG."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.profiles.hours import MarketHours
from pg_bridge.simulator.clock import HONG_KONG, Run, build_schedule
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.gateway_differences import DifferenceKind, DifferenceOrder
from pg_bridge.simulator.gateway_image import read_image
from pg_bridge.simulator.life_cycle import BookRules
from tests.doubles.gateways import BUYER, MONDAY, SELLER, GatewayWorld

WEDNESDAY = datetime(2026, 11, 25, 9, 0, tzinfo=HONG_KONG)
SETS = pytest.mark.parametrize("set_name", ["shipped", "legacy_b"])


def codes(text: str) -> list[str]:
    """Every status and reason of a message, in order."""
    return re.findall(r":(?:25D|24B)::\w+//\w+", text)


def number(text: str) -> str:
    """The SI number that a message names."""
    found = re.search(r":20C::PREV//(\w+)", text)
    assert found is not None
    return found[1]


@SETS
def test_an_si_lives_from_input_to_settlement(set_name: str) -> None:
    world = GatewayWorld(set_name)
    world.pair()
    matched = world.unasked()
    world.now = WEDNESDAY
    moved = world.gateway.run(Run.SETTLE)
    done = world.unasked()

    assert 1 == moved
    assert [BUYER, SELLER] == [notice.participant for notice in matched]
    assert all(":24B::PEND//FUTU" in notice.body.decode() for notice in matched)
    assert [(SELLER, "547"), (BUYER, "545")] == [(notice.participant, notice.message_type) for notice in done]
    assert ["PSS1", "PSS1"] == [notice.terminal for notice in done]


def test_its_si_numbers_are_its_own_and_name_the_si_as_its_reference_does() -> None:
    world = GatewayWorld()
    (entered,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    by_number = world.send(SELLER, "enquire", reference="E1", named=number(entered))
    by_reference = world.send(SELLER, "enquire", reference="E2", named="S1")
    of_another = world.send(BUYER, "enquire", reference="E3", named=number(entered))

    assert "I50000001" == number(entered)
    assert codes(by_number[0]) == codes(by_reference[0]) == [":25D::MTCH//NMAT", ":24B::NMAT//CMIS"]
    assert [":25D::SPRC//REJT"] == codes(of_another[0])


def test_a_refusal_names_every_fault_of_a_message() -> None:
    world = GatewayWorld()
    (answer,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER, day="20261345", quantity="0")

    assert [":25D::IPRC//REJT", ":24B::REJT//DDAT", ":24B::REJT//DQUA"] == codes(answer)
    assert ":20C::RELA//S1" in answer


def test_what_was_refused_for_its_form_may_come_corrected_under_its_reference() -> None:
    world = GatewayWorld()
    world.send(SELLER, "deliver", reference="S1", counterparty=BUYER, day="20261345")
    (answer,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)

    assert [":25D::IPRC//PACK"] == codes(answer)


def test_a_request_that_comes_again_gets_its_answer_and_is_not_done_again() -> None:
    world = GatewayWorld()
    first = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    again = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    other = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER, quantity="1001")
    of_the_buyer = world.send(BUYER, "deliver", reference="S1", counterparty=SELLER)
    world.now += timedelta(days=1)
    next_day = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)

    assert first == again
    assert [":25D::IPRC//REJT", ":24B::REJT//NARR"] == codes(other[0])
    assert "duplicate reference" in other[0]
    assert [":25D::IPRC//PACK"] == codes(of_the_buyer[0]) == codes(next_day[0])
    assert 3 == len(world.gateway.book.register)


@SETS
def test_each_block_is_answered_alone_and_in_order(set_name: str) -> None:
    world = GatewayWorld(set_name)
    world.pair()
    body = world.body("hold", reference="H1", named="S1")
    block = body[body.index(b":16R:REQD") :]
    template = "SI06" if set_name == "shipped" else "FREEZE06"
    answers = world.take(SELLER, template, "530", body + block.replace(b"S1", b"NOSUCH"))

    assert [b"1", b"2"] == [b"1", str(len(answers)).encode()]
    assert ["//TAKN" if set_name == "legacy_b" else "//PACK", "//REJT"] == [
        codes(answer)[0].removeprefix(":25D::TPRC") for answer in answers
    ]


def test_a_list_takes_as_many_pages_as_it_needs_with_each_status_once_a_page() -> None:
    world = GatewayWorld()
    for count in range(201):
        quantity = str(1000 + count)
        world.send(SELLER, "deliver", reference=f"S{count}", counterparty=BUYER, quantity=quantity)
    world.send(BUYER, "receive", reference="R0", counterparty=SELLER, quantity="1000")
    template, type_ = "SI08", "549"
    body = world.body("list_unmatched", reference="L1", stock="00005").replace(b":25D::MTCH//NMAT\r\n", b"")
    pages = world.take(SELLER, template, type_, body)

    assert ["00001/MORE", "00002/MORE", "00003/LAST"] == [page.split(":28E:")[1].split("\r")[0] for page in pages]
    assert [100, 100, 1] == [page.count(":16R:TRAN\r\n") for page in pages]
    assert [[":25D::SETT//PEND", ":25D::MTCH//NMAT"], [":25D::MTCH//NMAT"]] == [codes(page) for page in pages[:2]]
    assert 3 == len({page.split(":20C::SEME//")[1].split("\r")[0] for page in pages})


def test_where_there_is_nothing_to_list_the_answer_says_so() -> None:
    (page,) = GatewayWorld().send(SELLER, "list_unmatched", reference="L1", stock="00005")

    assert ":28E:00001/ONLY" in page
    assert ":17B::ACTI//N" in page


def test_a_request_about_a_day_that_is_past_is_refused() -> None:
    world = GatewayWorld()
    body = world.body("list_unmatched", reference="L1").replace(b":13A:", b":98A::STAT//20261120\r\n:13A:")
    (answer,) = world.take(SELLER, "SI08", "549", body)

    assert [":25D::SPRC//REJT", ":24B::REJT//NARR"] == codes(answer)


def test_a_second_user_authorises() -> None:
    world = GatewayWorld(rules=BookRules(maker_checker=frozenset({SELLER})))
    (entered,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)
    (authorised,) = world.send(SELLER, "authorise", reference="A1", named="S1")
    told = world.unasked()

    assert [":25D::IPRC//PPRC", ":24B::PPRC//NARR"] == codes(entered)
    assert [":25D::TPRC//PACK"] == codes(authorised)
    assert [[":25D::MTCH//NMAT", ":24B::NMAT//CMIS"]] == [codes(notice.body.decode()) for notice in told]


def test_a_revocation_waits_for_the_counterparty() -> None:
    world = GatewayWorld()
    world.pair()
    (asked,) = world.send(SELLER, "revoke_delivery", reference="V1", named="S1", counterparty=BUYER)
    (done,) = world.send(BUYER, "revoke_receipt", reference="V2", named="R1", counterparty=SELLER)
    (late,) = world.send(BUYER, "revoke_receipt", reference="V3", named="R1", counterparty=SELLER)

    assert [":25D::CPRC//CANP", ":24B::CANP//NARR"] == codes(asked)
    assert [":25D::CPRC//CAND"] == codes(done)
    assert [":25D::CPRC//DEND", ":24B::DEND//NARR"] == codes(late)


def test_outside_of_the_sessions_nothing_is_entered() -> None:
    hours = MarketHours(sessions=((time(8, 30), time(19)),))
    day = BusinessDay({"HKMK": hours}, (), (), time(13), keeps_hours=True)
    world = GatewayWorld(now=MONDAY.replace(hour=20), day=day)
    (answer,) = world.send(SELLER, "deliver", reference="S1", counterparty=BUYER)

    assert [":25D::IPRC//REJT", ":24B::REJT//NARR"] == codes(answer)
    assert 0 == len(world.gateway.book.register)


def test_counterparties_answer_and_the_clock_brings_about_the_runs() -> None:
    schedule = build_schedule(["10:00"], ["10:30"], "20:00")
    world = GatewayWorld(schedule=schedule, participants=[SELLER])
    world.gateway.counterparties.order(CounterpartyOrder(late_s=60))
    world.send(SELLER, "deliver", reference="S1", counterparty="C00077")
    before = world.unasked()
    due = world.gateway.next_due
    world.now += timedelta(seconds=60)
    matched = world.unasked()
    world.now = WEDNESDAY.replace(hour=11)
    settled = world.unasked()

    assert [] == before
    assert MONDAY + timedelta(seconds=60) == due
    assert [[":25D::MTCH//MACH", ":25D::SETT//PEND", ":24B::PEND//FUTU"]] == [
        codes(notice.body.decode()) for notice in matched
    ]
    assert [(SELLER, "547")] == [(notice.participant, notice.message_type) for notice in settled]


@SETS
def test_a_broadcast_goes_to_those_named_else_to_all_that_it_knows(set_name: str) -> None:
    world = GatewayWorld(set_name)
    world.pair()
    world.unasked()
    count = world.gateway.broadcast("SECOND SESSION", "OPEN UNTIL 19:00.")
    told = world.unasked()
    world.gateway.broadcast("ONE", "ONLY", to=["C00077"])

    assert 2 == count
    assert [SELLER, BUYER] == [notice.participant for notice in told]
    assert b":77E:HEAD/SECOND SESSION\r\nTEXT/OPEN UNTIL 19:00.\r\n" in told[0].body
    assert ["C00077"] == [notice.participant for notice in world.unasked()]


def test_a_ledger_is_told_every_request() -> None:
    world = GatewayWorld()
    world.pair()
    world.send(SELLER, "delete_delivery", reference="D1", named="S1", counterparty=BUYER)
    world.send(SELLER, "enquire", reference="E1", named="S1")
    taken = world.gateway.take_taken()

    assert [
        ("si_add", "S1", "I50000001", "accepted", ()),
        ("si_add", "R1", "I50000002", "accepted", ()),
        ("si_delete", "D1", "I50000001", "refused", ("wrong_state",)),
        ("enquire", "E1", "I50000001", "found", ()),
    ] == [(one.does, one.reference, one.si_number, one.outcome, one.faults) for one in taken]
    assert [] == world.gateway.take_taken()


def test_a_template_that_no_pss_sends_is_the_frames_fault() -> None:
    with pytest.raises(KeyError):
        GatewayWorld().take(SELLER, "SI60", "548", b":16R:GENL\r\n")
    with pytest.raises(KeyError):
        GatewayWorld().take(SELLER, "SI01", "548", b":16R:GENL\r\n")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 10**12),
    st.decimals(Decimal("0.01"), Decimal("9999999999.99"), places=2),
    st.integers(0, 300),
    st.sampled_from(["shipped", "legacy_b"]),
)
def test_what_was_entered_is_told_again(quantity: int, amount: Decimal, days: int, set_name: str) -> None:
    day = MONDAY.date() + timedelta(days=days)
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    values = {"quantity": str(quantity), "amount": f"{amount}".replace(".", ","), "day": f"{day:%Y%m%d}"}
    world = GatewayWorld(set_name)
    body = world.body("deliver", reference="S1", counterparty=BUYER, **values | {"amount": "AMOUNT"})
    wire = body.replace(b"AMOUNT,", values["amount"].encode())
    template = "SI01" if set_name == "shipped" else "NEW01"
    world.take(SELLER, template, "543", wire)
    (told,) = world.send(SELLER, "enquire", reference="E1", named="S1")
    details = (":36B:", ":19A:", ":98A:", ":35B:", ":22F:")

    assert sorted(line for line in wire.decode().split("\r\n") if line.startswith(details)) == sorted(
        line for line in told.split("\r\n") if line.startswith(details)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.binary(max_size=8), st.sampled_from(["deliver", "hold", "enquire", "list_unmatched"]))
def test_no_bytes_make_it_fail(at: int, put: bytes, message: str) -> None:
    world = GatewayWorld()
    world.pair()
    body = world.body(message, reference="X1", counterparty=BUYER, named="S1")
    template, type_ = {
        "deliver": ("SI01", "543"),
        "hold": ("SI06", "530"),
        "enquire": ("SI07", "549"),
        "list_unmatched": ("SI08", "549"),
    }[message]

    assert world.take(SELLER, template, type_, body[:at] + put + body[at + 1 :])


@SETS
def test_a_restored_gateway_goes_on_where_the_image_was_taken(set_name: str) -> None:
    def begin() -> GatewayWorld:
        world = GatewayWorld(set_name, seed=3)
        world.gateway.counterparties.order(CounterpartyOrder(participant="C00077", late_s=30))
        world.gateway.differences.order(DifferenceOrder(kind=DifferenceKind.STATUS_LATE, share=0.5))
        world.pair()
        world.send(SELLER, "deliver", reference="S2", counterparty="C00077")
        return world

    def go_on(world: GatewayWorld) -> list[tuple[str, str]]:
        world.now += timedelta(minutes=5)
        world.send(SELLER, "deliver", reference="S2", counterparty="C00077")
        world.send(SELLER, "hold", reference="H1", named="S1")
        world.send(SELLER, "enquire", reference="E1", named="S2")
        world.now = WEDNESDAY
        world.gateway.run(Run.SETTLE)
        return world.told()

    one, other = begin(), GatewayWorld(set_name, seed=3)
    image = read_image(msgspec.json.encode(one.gateway.image()))
    one.told()
    other.gateway.restore(image)
    other.told()

    assert go_on(one) == go_on(other)
    assert one.gateway.differences.made == other.gateway.differences.made


def test_an_image_that_does_not_fit_changes_nothing() -> None:
    world = GatewayWorld()
    world.pair()
    image = world.gateway.image()
    broken = msgspec.structs.replace(image, sis=image.sis[1:])

    with pytest.raises(ValueError, match="there is no SI 1"):
        world.gateway.restore(broken)
    with pytest.raises(ValueError, match="no state of the pretend gateway"):
        read_image(b"{}")
    assert image == world.gateway.image()


def test_the_same_traffic_gives_the_same_bytes() -> None:
    def play() -> list[tuple[str, str]]:
        world = GatewayWorld(seed=7)
        world.gateway.counterparties.order(CounterpartyOrder(participant="C00077", mismatch_one_in=2))
        for count in range(6):
            world.send(SELLER, "deliver", reference=f"S{count}", counterparty="C00077", quantity=str(100 + count))
        world.pair()
        return world.told()

    assert play() == play()
