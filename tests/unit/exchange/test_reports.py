"""Reports in the core: an enquiry that asks for one, its answer a frame a part, or why there is none."""

from __future__ import annotations

import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.records import ExchangeAnswered, read_entry
from pg_bridge.exchange.recovery import recover, resume
from tests.doubles.core import Core, actions, kinds
from tests.doubles.core_day import send

HASH = "939d26da576dacbe599b8390f1af72826b0a4ccc9211a62402bf562b9dd46cd1"


def asked(core: Core, day: str = "20261123") -> str:
    body = f":20:DOWN1\r\n:12:011\r\n:77E:REPT/CCLID01\r\nDATE/{day}\r\n".encode()
    send(core, body, template="FL02", message_type="598")
    return next(reversed(core.state.exchanges))


def found(core: Core, exchange: str, *, parts: int = 3, copy: str = "") -> a.Decision:
    return core.offer(
        e.ReportFound(exchange, "CCLID01", "2026-11-23", 1_000_000, HASH, copy or exchange, "DATA/72/600000", parts)
    )


def test_it_asks_ocp_nothing_and_is_read() -> None:
    core = Core()
    body = b":20:DOWN1\r\n:12:011\r\n:77E:REPT/CCLID01\r\nDATE/20261123\r\n"
    decision = core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, "FL02", "598", "", body))

    assert ["enquiry_received"] == kinds(decision)
    assert ["Watch", "ReadReport"] == actions(decision)
    assert b'{"name":"CCLID01","day":"2026-11-23"}' == next(iter(core.state.exchanges.values())).document


def test_answer_has_a_frame_for_each_part_that_names_its_piece() -> None:
    core = Core()
    exchange = asked(core)
    decision = found(core, exchange, copy="X77")
    answers = [action for action in decision.actions if isinstance(action, a.Answer)]

    assert ["report_read", "exchange_answered"] == kinds(decision)
    assert [
        f":20:DOWN1\r\n:12:111\r\n:77E:REPT/CCLID01\r\nDATE/20261123\r\nPART/{number}/3\r\nSIZE/1000000\r\nHASH/{HASH}\r\n"
        for number in (1, 2, 3)
    ] == [answer.reply.body for answer in answers]
    assert ["X77/1", "X77/2", "X77/3"] == [answer.reply.data for answer in answers]
    assert [(None, False), (None, False), (exchange, True)] == [(answer.token, answer.is_last) for answer in answers]


def test_answer_that_did_not_leave_waits_whole_after_a_restart() -> None:
    core = Core()
    exchange = asked(core)
    found(core, exchange)
    state = core.replayed()
    recover(state)
    queue = state.outbox("B01234").queue

    assert [exchange, f"{exchange}.2", f"{exchange}.3"] == list(queue)
    assert [f"{exchange}/1", f"{exchange}/2", f"{exchange}/3"] == [each.reply.data for each in queue.values()]
    assert {True} == {each.is_copy for each in queue.values()}


def test_one_that_was_not_read_is_read_after_a_restart() -> None:
    core = Core()
    exchange = asked(core)

    assert a.ReadReport(exchange) in resume(core.replayed())


def test_what_is_not_there_is_refused() -> None:
    core = Core()
    exchange = asked(core)
    decision = core.offer(e.ReportRefused(exchange, "PGB-RPT-002", "there is no report CCLID01 of 20261123"))
    record = read_entry(decision.entries[-1])

    assert isinstance(record, ExchangeAnswered)
    assert "refused" == record.outcome
    assert record.reply is not None
    assert record.reply.body.endswith(":77E:STAT/REJT\r\nTEXT/there is no report CCLID01 of 20261123\r\n")
    assert ["PGB-RPT-002"] == [fault.code for fault in record.faults]


@pytest.mark.parametrize("second", ["found", "refused"])
def test_it_is_answered_once(second: str) -> None:
    core = Core()
    exchange = asked(core)
    found(core, exchange)
    again = found(core, exchange) if second == "found" else core.offer(e.ReportRefused(exchange, "PGB-RPT-002", "none"))

    assert [] == again.entries


def test_a_day_that_is_none_is_refused_at_once() -> None:
    core = Core()
    asked(core, "20261131")

    assert "message_refused" == core.entries[-1].kind.value
    assert "TEXT/77E 20261131 is no day of the calendar, YYYYMMDD" in core.entries[-1].body()["reply"]["body"]
