"""A list of SIs in the core: OCP's entries become pages, in one entry of the journal, and the same again from it."""

from __future__ import annotations

from typing import Any

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.records import ExchangeAnswered, read_entry
from pg_bridge.exchange.retranslated import Difference
from pg_bridge.exchange.retranslation import Retranslation
from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.core import Core, book, kinds
from tests.doubles.core_day import stored
from tests.doubles.mapping_files import changed

BODY = b"""\
:16R:GENL
:20C::SEME//LIST1
:23G:NEWM
:13A::REQU//537
:97A::SAFE//00000001
:16S:GENL
:16R:BYSTAREA
:16S:BYSTAREA
""".replace(b"\n", b"\r\n")


def ask(core: Core) -> None:
    """A PSS of B01234 asks for its SIs; its exchange is X1."""
    core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, "SI08", "549", BODY.decode("ascii"), BODY))


def entries(core: Core, count: int, **more: Any) -> list[dict[str, Any]]:
    return [core.event(f"I{number:08d}", number, "CREATED", "MATCHED", **more) for number in range(1, count + 1)]


def answers(decision: a.Decision) -> list[a.Answer]:
    return [action for action in decision.actions if isinstance(action, a.Answer)]


def retranslated(core: Core, new: MappingBook) -> list[Difference]:
    run = Retranslation(new)
    found = [result for each in stored(core.entries) for result in run.take(each)]
    return [difference for result in [*found, *run.end()] for difference in result.differences]


def test_entries_become_pages_in_one_entry() -> None:
    core = Core()
    ask(core)
    decision = core.offer(e.EnquiryAnswered("X1", entries(core, 250)))
    record = read_entry(core.entries[-1])

    assert ["exchange_answered"] == kinds(decision)
    assert [False, False, True] == [answer.is_last for answer in answers(decision)]
    assert isinstance(record, ExchangeAnswered)
    assert ("found", 2) == (record.outcome, len(record.more))
    assert 3 == len({answer.reply.body.split(":20C::SEME//")[1][:6] for answer in answers(decision)})
    assert {"GENL/28E", "page 2: GENL/28E", "page 3: STAT/TRAN/TRANSDET/36B:SETT#50"} < {
        line.target for line in record.lineage
    }


def test_no_entry_is_an_answer_of_one_page() -> None:
    core = Core()
    ask(core)
    (answer,) = answers(core.offer(e.EnquiryAnswered("X1", [])))

    assert "SI58" == answer.reply.template
    assert ":17B::ACTI//N" in answer.reply.body


def test_refused_enquiry_is_answered_by_an_mt548() -> None:
    core = Core()
    ask(core)
    fault = core.terms.fault("406001", "outside_hours", "406001 outside of hours")
    (answer,) = answers(core.offer(e.EnquiryFailed("X1", "refused", fault)))

    assert ("SI58", "548") == (answer.reply.template, answer.reply.message_type)
    assert ":25D::SPRC//REJT" in answer.reply.body


def test_list_that_cannot_be_written_is_refused_and_names_the_fault() -> None:
    core = Core()
    ask(core)
    (answer,) = answers(core.offer(e.EnquiryAnswered("X1", entries(core, 1, purpose="NEVER_HEARD_OF"))))
    record = read_entry(core.entries[-1])

    assert "548" == answer.reply.message_type
    assert isinstance(record, ExchangeAnswered)
    assert ("refused", {"PGB-MAP-003"}) == (record.outcome, {finding.code for finding in record.findings})


def test_the_same_set_gives_the_same_pages_again() -> None:
    core = Core()
    ask(core)
    core.offer(e.EnquiryAnswered("X1", entries(core, 250)))

    assert [] == retranslated(core, book())


def test_another_set_is_held_against_each_page() -> None:
    core = Core()
    ask(core)
    core.offer(e.EnquiryAnswered("X1", entries(core, 150)))
    smaller = load(changed("rules/si-list.toml", "most = 100", "most = 50"))
    paid = load(changed("legacy/codes.toml", 'DVP = "APMT"', 'DVP = "FREE"'))
    found = retranslated(core, smaller)

    assert ("the number of messages", "2", "3") in {(each.what, each.was, each.is_) for each in found}
    assert ("page 2: field GENL/28E", "00002/LAST", "00002/MORE") in {(each.what, each.was, each.is_) for each in found}
    assert any(each.what == "page 2: field STAT/TRAN/TRANSDET/22H:PAYM#50" for each in retranslated(core, paid))
