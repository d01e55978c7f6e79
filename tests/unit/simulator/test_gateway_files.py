"""Files at the pretend PG: uploads in parts, their control reports, and reports to fetch."""

from __future__ import annotations

from datetime import date, timedelta

from pg_bridge.link.parts import PartsForm, read_part, split, write_part
from tests.doubles.gateways import BUYER, MONDAY, SELLER, GatewayWorld

DAY = MONDAY.date()


def tag_based(world: GatewayWorld, *quantities: str, template: str = "SI01", count: int | None = None) -> bytes:
    """A file of deliveries: references F1, F2 ..."""
    blocks = b"".join(
        b"{4:\r\n" + world.body("deliver", reference=f"F{number}", counterparty=BUYER, quantity=quantity) + b"-}\r\n"
        for number, quantity in enumerate(quantities, 1)
    )
    head = f":20:FILE1\r\n:12:{template}\r\n:98A:20261123\r\n".encode()
    return head + blocks + f":19:{len(quantities) if count is None else count}\r\n".encode()


def upload(world: GatewayWorld, content: bytes, *, name: str = "BATCH1", part: int = 0) -> list[list[str]]:
    """The answers to each part of a file."""
    form = world.legacy.parts
    assert form is not None
    cut = PartsForm(form.keys, form.line, part or form.part, form.largest, form.name_width)
    answers = []
    for number, one in enumerate(split(cut, name, DAY, content), 1):
        lines = "\r\n".join(write_part(form, one))
        body = f":20:U{number}\r\n:12:010\r\n:77E:{lines}\r\n".encode()
        answers.append(world.take(SELLER, "FL01", "598", body))
    return answers


def report(*lines: str) -> str:
    """The lines of a control report."""
    return "\r\n".join((":77E:FILE/BATCH1", *lines, ""))


def test_a_file_in_one_part_is_entered_and_told_by_its_report() -> None:
    world = GatewayWorld()
    ((answer,),) = upload(world, tag_based(world, "100", "200"))
    taken = world.gateway.take_taken()

    assert report("STAT/ACCP", "READ/2", "ACCP/2", "REJT/0") in answer
    assert ":20:U1\r\n:12:110\r\n" in answer
    assert 2 == len(world.gateway.book.register)
    assert ["F1", "F2", "U1"] == [one.reference for one in taken]


def test_of_a_file_in_parts_the_last_one_is_answered() -> None:
    world = GatewayWorld()
    answers = upload(world, tag_based(world, "100", "200"), part=360)

    assert 2 < len(answers)
    assert [0] * (len(answers) - 1) + [1] == [len(each) for each in answers]
    assert report("STAT/ACCP", "READ/2", "ACCP/2", "REJT/0") in answers[-1][0]


def test_a_record_that_is_refused_is_an_item_and_the_others_are_entered() -> None:
    world = GatewayWorld()
    content = tag_based(world, "100", "200").replace(b":98A::SETT//20261125", b":98A::SETT//20261122", 1)
    ((answer,),) = upload(world, content)

    expected = report("STAT/PART", "READ/2", "ACCP/1", "REJT/1", "ITEM/1/F1/DDAT/2026-11-22 is past")
    assert expected in answer
    assert 1 == len(world.gateway.book.register)


def test_a_file_with_a_fault_is_refused_whole() -> None:
    world = GatewayWorld()
    ((of_a_record,),) = upload(world, tag_based(world, "100", "0"))
    ((of_its_count,),) = upload(world, tag_based(world, "100", count=3))
    ((of_its_form,),) = upload(world, b"what is this\r\n")
    ((of_its_template,),) = upload(world, tag_based(world, "100", template="SI06"))

    assert "STAT/REJT\r\nREAD/2\r\nACCP/0\r\nREJT/2\r\nITEM/2/F2/DQUA/" in of_a_record
    assert "STAT/REJT\r\nREAD/1\r\n" in of_its_count
    assert "STAT/REJT\r\nREAD/0\r\n" in of_its_form
    assert "STAT/REJT\r\nREAD/1\r\n" in of_its_template
    assert 0 == len(world.gateway.book.register)


def test_two_records_of_one_reference_are_a_fault_of_the_file() -> None:
    world = GatewayWorld()
    ((answer,),) = upload(world, tag_based(world, "100", "200").replace(b"SEME//F2", b"SEME//F1"))

    assert "ITEM/2/F1/NARR/duplicate reference: F1 is that of record 1, too" in answer


def test_a_file_that_comes_again_gets_its_report_and_is_not_entered_again() -> None:
    world = GatewayWorld()
    content = tag_based(world, "100")
    first, again = upload(world, content), upload(world, content)

    assert first == again
    assert 1 == len(world.gateway.book.register)


def test_a_part_that_is_none_is_refused() -> None:
    (answer,) = GatewayWorld().take(SELLER, "FL01", "598", b":20:U1\r\n:12:010\r\n:77E:FILE/X\r\n")

    assert "STAT/REJT" in answer


def test_a_file_that_waits_too_long_for_its_next_part_begins_anew() -> None:
    world = GatewayWorld()
    form = world.legacy.parts
    assert form is not None
    cut = PartsForm(form.keys, form.line, 720, form.largest, form.name_width)
    parts = [
        f":20:U1\r\n:12:010\r\n:77E:{chr(13) + chr(10)}".encode().removesuffix(b"\r\n")
        + "\r\n".join(write_part(form, part)).encode()
        + b"\r\n"
        for part in split(cut, "BATCH1", DAY, tag_based(world, "100", "200"))
    ]
    world.take(SELLER, "FL01", "598", parts[0])
    world.now += timedelta(minutes=11)
    (late,) = world.take(SELLER, "FL01", "598", parts[1])

    assert "STAT/REJT" in late


def test_a_report_comes_in_parts_and_one_that_is_not_there_is_refused() -> None:
    kept = {(SELLER, "CCLID01", DAY): b"x" * 1_000_000}

    def reports(participant: str, name: str, day: date) -> bytes | None:
        return kept.get((participant, name, day))

    world = GatewayWorld(reports=reports)
    form = world.legacy.parts
    assert form is not None
    asked = b":20:D1\r\n:12:011\r\n:77E:REPT/CCLID01\r\nDATE/20261123\r\n"
    answers = world.take(SELLER, "FL02", "598", asked)
    (of_another,) = world.take(BUYER, "FL02", "598", asked)
    parts = [
        read_part(form, answer.partition(":77E:")[2].removesuffix("\r\n").split("\r\n"), is_report=True)
        for answer in answers
    ]

    assert [(1, 3), (2, 3), (3, 3)] == [(part.number, part.of) for part, _ in parts if part is not None]
    assert all(answer.startswith(":20:D1\r\n:12:111\r\n") for answer in answers)
    assert ":77E:STAT/REJT\r\nTEXT/there is no report CCLID01 of 2026-11-23\r\n" in of_another
