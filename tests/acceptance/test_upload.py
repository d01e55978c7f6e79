"""Batch files on the wire: parts, records as instructions, and the control report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.batch import fixed_width, parts, record, tag_based
from tests.doubles.killable_bridge import STEPS
from tests.doubles.stack import Stack, deliver, receive, stack


def upload(pss: ScriptedPss, name: str, content: bytes, *, part: int = 0) -> list[int]:
    """Send a file; gives the sequence numbers of its parts."""
    return [pss.send("598", "FL01", body) for body in parts(name, content, part=part)]


def said(report: str) -> list[str]:
    """The lines of a report's text."""
    return report.partition(":77E:")[2].splitlines()


async def times_entered(made: Stack, *references: str) -> list[int]:
    return [len(await made.entered(reference)) for reference in references]


async def test_a_good_file_is_entered_and_reported(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        pss = await made.pss()
        upload(pss, "GOOD", tag_based(deliver("UPL00001"), receive("UPL00002", counterparty="C00019")))
        report = await pss.message("FL51")
        await pss.log_off()
        entered = await times_entered(made, "UPL00001", "UPL00002")
        answers = [got for got in pss.received if got.frame.template == "SI51"]

    assert ":20:PART000001\r\n:12:110\r\n:77E:FILE/GOOD\r\nSTAT/ACCP\r\nREAD/2\r\nACCP/2\r\nREJT/0\r\n" == report.text
    assert [1, 1] == entered
    assert [] == answers
    assert () == verify(made.journal).findings


async def test_a_fixed_width_file_is_entered_changed_and_deleted(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        pss = await made.pss()
        free = record("FIX00002", side="R", payment="FOP", currency=None, amount=None)
        upload(pss, "FIRST", fixed_width(record("FIX00001"), free))
        first = await pss.message("FL51")
        (line,) = await made.entered("FIX00001")
        number = line["si_number"]
        changed = record("FIX00003", function="C", si_number=number, quantity=2000)
        gone = record("FIX00004", function="D", si_number="I99999999")
        upload(pss, "SECOND", fixed_width(changed, gone, number="0002"))
        second = await pss.message("FL51", "FILE/SECOND")
        await pss.log_off()

    assert ["FILE/FIRST", "STAT/ACCP", "READ/2", "ACCP/2", "REJT/0"] == said(first.text)
    assert ["FILE/SECOND", "STAT/PART", "READ/2", "ACCP/1", "REJT/1"] == said(second.text)[:5]
    assert "ITEM/2/FIX00004/NARR/407001 no such SI" in second.text


async def test_what_ocp_refuses_is_an_item_and_what_was_used_today_is_refused_alone(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        pss = await made.pss()
        made.words.send_deliver(pss, "USED0001")
        await pss.message("SI51")
        past = re.sub(rb":98A::SETT//[0-9]{8}", b":98A::SETT//20200106", deliver("PRT00002"))
        upload(pss, "PARTLY", tag_based(deliver("PRT00001"), past, deliver("USED0001")))
        report = await pss.message("FL51")
        await pss.log_off()
        entered = await times_entered(made, "PRT00001", "PRT00002", "USED0001")

    head, items = said(report.text)[:5], said(report.text)[5:]
    assert ["FILE/PARTLY", "STAT/PART", "READ/3", "ACCP/1", "REJT/2"] == head
    assert [1, 0, 1] == entered
    assert items[0].startswith("ITEM/2/PRT00002/DDAT/")
    assert items[1].startswith("ITEM/3/USED0001/NARR/duplicate reference")


async def test_a_bad_file_is_refused_whole_with_every_fault_and_its_line(tmp_path: Path) -> None:
    bad = deliver("BAD00002", quantity="x,")
    twice = deliver("BAD00001", quantity="5,")
    async with stack(tmp_path) as made:
        pss = await made.pss()
        upload(pss, "TAGS", tag_based(deliver("BAD00001"), bad, twice, count=4))
        tags = await pss.message("FL51", "FILE/TAGS")
        lines = fixed_width(record("BAD00003"), record("BAD00005", payment="FOP"))
        upload(pss, "COLUMNS", lines.replace(b"C0001900000001000", b"C0001900000001001", 1))
        columns = await pss.message("FL51", "FILE/COLUMNS")
        upload(pss, "NOTHING", b"neither of both\r\n")
        nothing = await pss.message("FL51", "FILE/NOTHING")
        await pss.log_off()
        entered = await times_entered(made, "BAD00001", "BAD00002", "BAD00003", "BAD00005")

    assert ["FILE/TAGS", "STAT/REJT", "READ/3", "ACCP/0", "REJT/3"] == said(tags.text)[:5]
    at = 4 + deliver("BAD00001").count(b"\r\n") + 2
    wrong = next(number for number, line in enumerate(bad.splitlines(), 1) if b":36B:" in line)
    assert f"ITEM/2/BAD00002/DQUA/line {at + wrong}: FIAC/36B:SETT" in tags.text
    assert "ITEM/3/BAD00001/NARR/" in tags.text
    assert "ITEM/0//NARR/line" in tags.text
    assert "4 text blocks are told. the file has 3" in tags.text
    assert ["FILE/COLUMNS", "STAT/REJT", "READ/2", "ACCP/0", "REJT/2"] == said(columns.text)[:5]
    assert "ITEM/1//NARR/line 2: detail/checksum" in columns.text
    assert "ITEM/0//NARR/line 4: trailer/quantities" in columns.text
    assert "ITEM/2//NARR/line 3: an SI free of payment has no amount" in columns.text
    assert "ITEM/0//NARR/line 1: its first line tells no form" in nothing.text
    assert [0, 0, 0, 0] == entered


async def test_parts_come_in_order_and_one_sent_again_is_ignored(tmp_path: Path) -> None:
    content = tag_based(*(deliver(f"MANY{number:04d}") for number in range(5)))
    bodies = parts("MANY", content, part=720)
    async with stack(tmp_path) as made:
        pss = await made.pss()
        for body in (*bodies[:2], bodies[0], bodies[1], *bodies[2:]):
            pss.send("598", "FL01", body)
        report = await pss.message("FL51")
        # A part out of order refuses the file; the whole one again gets the stored report.
        pss.send("598", "FL01", bodies[1].replace(b"FILE/MANY", b"FILE/ORDER"))
        refused = await pss.message("FL51", "FILE/ORDER")
        count = len(pss.received)
        for body in bodies:
            pss.send("598", "FL01", body)
        again = await pss.message("FL51", after=count)
        await pss.log_off()
        entered = await times_entered(made, *(f"MANY{number:04d}" for number in range(5)))

    assert 4 == len(bodies)
    assert ["FILE/MANY", "STAT/ACCP", "READ/5", "ACCP/5", "REJT/0"] == said(report.text)
    assert "STAT/REJT" in refused.text
    assert report.text == again.text
    assert again.frame.possible_duplicate
    assert [1] * 5 == entered
    steps = [entry.body()["step"] for entry in made.entries(kind="part_received")]
    assert 2 == steps.count("again")
    assert 2 == steps.count("whole")


async def test_two_sessions_send_two_files_one_behind_the_other(tmp_path: Path) -> None:
    first = parts("ONE", tag_based(*(deliver(f"ONE{number:05d}") for number in range(3))), part=720)
    second = parts("TWO", tag_based(*(deliver(f"TWO{number:05d}") for number in range(3))), part=720)
    async with stack(tmp_path) as made:
        one, two = await made.pss(terminal="PSS1"), await made.pss(terminal="PSS2")
        one.send("598", "FL01", first[0])
        assert await made.eventually(lambda: made.entries(kind="part_received"))
        for body in second:
            two.send("598", "FL01", body)
        made.words.send_deliver(two, "BETWEEN1")
        for body in first[1:]:
            one.send("598", "FL01", body)
        reports = [await one.message("FL51"), await two.message("FL51")]
        await two.message("SI51")
        await one.log_off()
        await two.log_off()
        entered = await times_entered(made, *(f"{name}{number:05d}" for name in ("ONE", "TWO") for number in range(3)))

    assert ["FILE/ONE", "FILE/TWO"] == [said(report.text)[0] for report in reports]
    assert ["STAT/ACCP"] * 2 == [said(report.text)[1] for report in reports]
    assert [1] * 6 == entered


async def test_a_file_cut_midway_is_dropped_and_may_come_again(tmp_path: Path) -> None:
    bodies = parts("CUT", tag_based(*(deliver(f"CUT{number:05d}") for number in range(3))), part=720)
    async with stack(tmp_path) as made:
        pss = await made.pss()
        for body in bodies[:-1]:
            pss.send("598", "FL01", body)
        assert await made.eventually(lambda: len(made.entries(kind="part_received")) == len(bodies) - 1)
        pss.abort()
        (dropped,) = await made.eventually(lambda: made.entries(kind="parts_dropped"))
        pss = await made.pss()
        for body in bodies:
            pss.send("598", "FL01", body)
        report = await pss.message("FL51")
        await pss.log_off()
        entered = await times_entered(made, *(f"CUT{number:05d}" for number in range(3)))

    assert len(bodies) - 1 == dropped.body()["parts"]
    assert "STAT/ACCP" in report.text
    assert [1] * 3 == entered


async def test_a_file_that_is_never_whole_is_dropped_in_time(tmp_path: Path) -> None:
    bodies = parts("LATE", tag_based(deliver("LATE0001"), deliver("LATE0002")), part=720)
    async with stack(tmp_path, extra="[exchange]\nfile_within_s = 0.2\n") as made:
        pss = await made.pss()
        pss.send("598", "FL01", bodies[0])
        (dropped,) = await made.eventually(lambda: made.entries(kind="parts_dropped"))
        await pss.log_off()

    assert "did not all come in time" in dropped.body()["text"]


async def test_another_file_of_the_same_name_and_day_is_refused(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        pss = await made.pss()
        upload(pss, "NAME", tag_based(deliver("NAME0001")))
        await pss.message("FL51")
        count = len(pss.received)
        upload(pss, "NAME", tag_based(deliver("NAME0002")))
        other = await pss.message("FL51", after=count)
        await pss.log_off()
        entered = await times_entered(made, "NAME0001", "NAME0002")

    assert "STAT/REJT" in other.text
    assert "another file of the name NAME" in other.text
    assert [1, 0] == entered


@pytest.mark.parametrize("step", [step for step in STEPS if step != "on_receipt"])
async def test_a_killed_bridge_enters_each_record_once_and_reports(step: str, tmp_path: Path) -> None:
    made = Stack(tmp_path, extra="[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n")
    references = [f"KILL{number:04d}" for number in range(4)]
    content = tag_based(*map(deliver, references))
    try:
        await made.start_ocp()
        await made.start_killable_bridge(step)
        pss = await made.pss()
        upload(pss, "KILL", content, part=2880)
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        copies = [got for got in pss.received if got.frame.template == "FL51"]
        assert -9 == await made.bridge.wait()

        await made.start_bridge()
        pss = await made.pss()
        if step == "before_received_is_durable":
            upload(pss, "KILL", content, part=2880)
        report = await pss.message("FL51")
        count = len(pss.received)
        upload(pss, "KILL", content, part=2880)
        again = await pss.message("FL51", after=count)
        await pss.log_off()
        copies += [got for got in pss.received if got.frame.template == "FL51"]
        entered = await times_entered(made, *references)
    finally:
        await made.stop()

    assert [1] * 4 == entered
    assert ["FILE/KILL", "STAT/ACCP", "READ/4", "ACCP/4", "REJT/0"] == said(report.text)
    assert report.text == again.text
    assert 1 >= sum(not got.frame.possible_duplicate for got in copies)
    assert [] == [got for got in pss.received if got.frame.template == "SI51"]
    assert () == verify(made.journal).findings
