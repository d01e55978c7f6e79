"""Batch files in the core: what waits for what, what a report says, and what the journal alone gives."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.judging import Judgement, judge
from pg_bridge.exchange.recovery import recover, resume
from tests.doubles.batch import parts, tag_based
from tests.doubles.core import Core, actions, kinds

DAY = date(2026, 11, 24)
NUMBER = "I00000001"


class Filing(Core):
    """The core, and a participant that sends files."""

    def part(self, body: bytes, *, session: str = "S1", sequence: int = 2) -> list[a.Decision]:
        """A part comes; a file that is whole is judged. Gives all decisions."""
        text = body.decode("ascii")
        arrived = e.RequestArrived(session, "B01234", "PSS1", sequence, "FL01", "598", text, body)
        return self._judged(self.offer(arrived))

    def file(self, content: bytes, *, name: str = "F", session: str = "S1") -> list[a.Decision]:
        """A file comes in one part."""
        (body,) = parts(name, content, day=DAY)
        return self.part(body, session=session)

    def dropped(self, content: bytes, claim: str, *, name: str = "F", day: str = "2026-11-24") -> list[a.Decision]:
        """A file comes from a drop folder."""
        return self._judged(self.offer(e.FileArrived("B01234", name, day, content, claim=claim)))

    def _judged(self, decision: a.Decision) -> list[a.Decision]:
        made = [decision]
        for action in decision.actions:
            if isinstance(action, a.Judge):
                context = self.terms.context(action.file.participant, "PSS1", self.now)
                *_, judgement = judge(self.terms, action.file.content, context, is_lenient=False)
                made += self._judged(self.offer(e.FileJudged(action.file, judgement)))
        return made

    def answers(self, *decisions: a.Decision) -> list[str]:
        return [
            action.reply.body for decision in decisions for action in decision.actions if isinstance(action, a.Answer)
        ]


def entered(core: Filing, count: int = 2) -> None:
    """A file of so many records is entered, and called."""
    core.file(tag_based(*(core.words.deliver(f"R{number}") for number in range(1, count + 1))))


def test_all_records_of_a_file_are_one_decision_and_each_is_called() -> None:
    core = Filing()
    *_, judged = core.file(tag_based(core.words.deliver("R1"), core.words.deliver("R2")))

    assert ["file_received", "instruction_received", "instruction_received"] == kinds(judged)
    assert ["OpenLane"] == actions(judged)


def test_the_report_waits_for_the_last_record_and_updates_wait_for_the_report() -> None:
    core = Filing()
    entered(core)
    update = core.event(NUMBER, 1, "MATCHED", "MATCHED", requestReference="R1", participantReference="R1")
    request_id = core.call()
    core.offer(e.UpdatesArrived([update]))
    before = list(core.state.outbox("B01234").queue)
    told = core.offer(e.CallAnswered(request_id, [core.accepted("R1", NUMBER), core.refused("R2", "303001")]))
    after = list(core.state.outbox("B01234").queue)

    (report,) = core.answers(told)
    assert "STAT/PART\r\nREAD/2\r\nACCP/1\r\nREJT/1\r\nITEM/2/R2/" in report
    assert [] == before
    assert ["D1"] == after


def test_a_record_in_doubt_is_an_item_and_counts_as_neither() -> None:
    core = Filing()
    entered(core, 1)
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.state.batches[request_id].is_duplicate = True
    core.state.batches[request_id].looks = 99
    told = core.offer(e.Looked(request_id, {}))

    (report,) = core.answers(told)
    assert "STAT/PART\r\nREAD/1\r\nACCP/0\r\nREJT/0\r\nITEM/1/R1/NARR/the outcome at OCP is not known" in report
    assert core.state.exchanges["X1:1"].is_awaited


def test_the_journal_alone_gives_the_report_of_a_drop_folder_and_its_records() -> None:
    core = Filing()
    core.dropped(tag_based(core.words.deliver("R1")), "CLAIM1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", NUMBER)]))
    state = core.replayed()
    recover(state)
    (ended,) = [action for action in resume(state) if isinstance(action, a.FileEnded)]

    assert ("X1", "CLAIM1", "F", "accepted") == (ended.exchange, ended.claim, ended.name, ended.outcome)
    assert not state.outbox("B01234").queue


def test_the_same_claim_is_never_entered_again_also_on_another_day() -> None:
    core = Filing()
    content = tag_based(core.words.deliver("R1"))
    core.dropped(content, "CLAIM1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", NUMBER)]))
    core.wait(86_400)
    (again,) = core.dropped(content, "CLAIM1", day="2026-11-25")

    assert [] == kinds(again)
    assert ["FileEnded"] == actions(again)


def test_a_message_that_a_file_entered_gets_an_answer_of_its_own_when_it_is_sent_again() -> None:
    core = Filing()
    entered(core, 1)
    repeated = core.request("R1")
    told = core.offer(e.CallAnswered(core.call(), [core.accepted("R1", NUMBER)]))

    assert ["request_repeated"] == kinds(repeated)
    assert ["SI51", "FL51"] == [action.reply.template for action in told.actions if isinstance(action, a.Answer)]


def test_what_waits_behind_a_file_is_taken_when_it_ends_in_any_way() -> None:
    core = Filing()
    whole = tag_based(*(core.words.deliver(f"R{number}") for number in range(1, 4)))
    first = parts("ONE", whole, day=DAY, part=720)
    (other,) = parts("TWO", tag_based(core.words.deliver("R9")), day=DAY)
    core.part(first[0])
    (waits,) = core.part(other, session="S2", sequence=5)
    ended = core.offer(e.SessionEnded("B01234", "S1"))

    assert [["part_received"], []] == [kinds(waits), actions(waits)]
    assert ["parts_dropped", "part_received"] == kinds(ended)
    assert ["Judge"] == actions(ended)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400) | st.sampled_from([b":20:A\r\n", b"0001", b":20:A\r\n:12:SI01\r\n{4:\r\n-}\r\n:19:1\r\n"])
)
def test_any_content_is_judged(content: bytes) -> None:
    core = Filing()
    context: dict[str, Any] = core.terms.context("B01234", "", core.now)
    *_, judgement = judge(core.terms, content, context, is_lenient=False)

    assert isinstance(judgement, Judgement)
    assert judgement.items
    assert msgspec.json.encode(judgement.items)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ((b"DEAG", b"REAG"), ""),
        ((b":95R::REAG/CCAS/C00019\r\n", b""), "the text is of none of the message types 540, 541, 542, 543"),
        ((b":16R:AMT\r\n:19A::SETT//HKD5000,\r\n:16S:AMT\r\n", b""), ""),
    ],
)
def test_the_message_type_is_told_by_the_shape_or_not_at_all(changed: tuple[bytes, bytes], told: str) -> None:
    core = Filing()
    content = tag_based(core.words.deliver("R1").replace(*changed))
    context = core.terms.context("B01234", "", core.now)
    *_, judgement = judge(core.terms, content, context, is_lenient=False)

    assert bool(told) == bool(judgement.items)
    assert told in "".join(item.text for item in judgement.items)
