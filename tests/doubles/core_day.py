"""A day of the core in which every kind of translation is recorded once at least."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Entry, Stored
from pg_bridge.exchange.records import Fault, Record, RequestParked, SessionOpened, Who, write_entry
from pg_bridge.exchange.terms import epoch_us
from tests.doubles.core import Core
from tests.doubles.stack import deliver, enquiry

UNKNOWN_FIELD = b":16S:TRADDET\r\n"


def stored(entries: list[Entry]) -> list[Stored]:
    """Entries with their positions."""
    return [Stored(position, entry) for position, entry in enumerate(entries, 1)]


def note(core: Core, record: Record) -> None:
    """Journal what the dispatcher notes itself."""
    core.entries.append(write_entry(record, epoch_us(core.now)))


def send(
    core: Core, body: bytes, *, template: str = "SI01", message_type: str = "543", participant: str = "B01234"
) -> None:
    """A PSS sends a text block."""
    text = body.decode("ascii")
    core.offer(e.RequestArrived("S1", participant, "PSS1", 2, template, message_type, text, body))


def framed(body: bytes) -> str:
    """A whole frame of the shipped framing with this text block, as far as reading the text needs one."""
    return (
        "{1:01B01234PSS1S000000001000002000500}{2:I543SI0120261124100000N}{4:\r\n"
        + body.decode("ascii")
        + "-}{5:0000000000}"
    )


def whole_day() -> Core:
    """Requests taken, refused, repeated and parked; answers of every outcome; outcomes told late; updates of every fate."""
    core = Core(lenient_participants=frozenset({"C00019"}))
    core.now = datetime(2026, 11, 24, 2, 0, 0, 123_457, tzinfo=UTC)
    note(core, SessionOpened(participant="B01234", session="S1", terminal="PSS1", address="127.0.0.1"))
    requests(core)
    enquiries(core)
    late_outcomes(core)
    updates(core)
    who = Who(user="ops", uid=1000, pid=1)
    core.offer(e.BroadcastGiven("X900", "SECOND SESSION", "OPEN\nUNTIL 19:00", ("B01234", "C00019"), who))
    downloads(core)
    core.now += timedelta(days=1)
    core.request("R1")  # a reference is free again the next day
    return core


def requests(core: Core) -> None:
    """R1 to R4 and what may befall a request."""
    for number, reference in enumerate(("R1", "R2", "R3", "R4"), 2):
        core.request(reference, sequence=number, stock="00005" if number < 4 else "70001")
    core.request("R1", sequence=9)  # repeated
    core.request("R1", sequence=10, quantity="7,")  # another text under the same reference
    core.request("BAD", quantity="0,", stock="X")
    send(core, deliver("R5").replace(b":98A::SETT", b":98B::SETT"))  # two faults: one missing, one unknown
    lenient = deliver("L1", counterparty="B01234").replace(UNKNOWN_FIELD, b":99Z::NEWF//1\r\n" + UNKNOWN_FIELD)
    send(core, lenient, participant="C00019")
    finding = Finding("PGB-MAP-002", "error", "SI01", "no rule file served it")
    for text in (framed(deliver("P1")), deliver("P2").decode("ascii")):
        note(
            core,
            RequestParked(
                participant="B01234", session="S1", sequence=20, template="SI01", legacy=text, findings=(finding,)
            ),
        )
    answers = [
        core.accepted("R1", "I00000001"),
        core.accepted("R2", "I00000002", "PENDING"),
        core.refused("R3", "400101"),
        core.refused("R4", "999999"),
    ]
    core.wait(0.25)
    core.offer(e.CallAnswered(core.call(), answers))


def enquiries(core: Core) -> None:
    """Found, not found, refused."""
    for _ in range(3):
        send(core, enquiry("Q1", number="I00000001"), template="SI07", message_type="549")
    asked = [exchange.id for exchange in core.state.exchanges.values() if exchange.effect == "enquire"]
    core.wait(1)
    core.offer(e.EnquiryAnswered(asked[0], [core.event("I00000001", 1, "MATCHED", "MATCHED")]))
    core.offer(e.EnquiryAnswered(asked[1], []))
    core.offer(e.EnquiryFailed(asked[2], "no", Fault("403001", "ocp_denied", "not granted", "NARR")))


def downloads(core: Core) -> None:
    """A report in two parts, and one that is not there."""
    for name in ("CCLID01", "NONE01"):
        body = f":20:DOWN1\r\n:12:011\r\n:77E:REPT/{name}\r\nDATE/20261123\r\n".encode()
        send(core, body, template="FL02", message_type="598")
    *_, one, other = core.state.exchanges
    core.offer(e.ReportFound(one, "CCLID01", "2026-11-23", 500_000, "9" * 64, one, "DATA/72/600000", 2))
    core.offer(e.ReportRefused(other, "PGB-RPT-002", "there is no report NONE01 of 20261123"))


def late_outcomes(core: Core) -> None:
    """The PSS was told to wait; then one is accepted, one refused, one found after a lost call."""
    for number, reference in enumerate(("W1", "W2", "W3"), 30):
        core.request(reference, sequence=number)
    request_id = core.call()
    waiting = list(core.state.batches[request_id].members)
    core.wait(20)
    for exchange in waiting:
        core.offer(e.Overdue(exchange))
    core.offer(e.CallLost(request_id, "504"))
    core.offer(e.Looked(request_id, {waiting[2]: core.event("I00000013", 1, "CREATED", "UNMATCHED")}))
    core.offer(
        e.CallAnswered(
            request_id,
            [core.accepted("W1", "I00000011"), core.refused("W2", "400102"), core.accepted("W3", "I00000013")],
        )
    )


def updates(core: Core) -> None:
    """In order, too early, of an SI of nobody's, settled, and one that no rule can write."""
    told: list[dict[str, Any]] = [
        core.event("I00000001", 1, "CREATED", "UNMATCHED"),
        core.event("I00000001", 2, "MATCHED", "MATCHED"),
        core.event("I00000001", 4, "SETTLED", "SETTLED"),  # too early
        core.event("I00000001", 3, "HELD", "MATCHED_ON_HOLD", holdOwn=True, reasonCode="HOLD_OWN"),
        core.event("I00000077", 5, "MATCHED", "MATCHED", participantReference=None),
        core.event("I00000078", 6, "FAILING", "FAILING", reasonCode="LACK_MONEY", reasonText="words " * 60),
        core.event("I00000079", 7, "MATCHED", "MATCHED", stockAccount="TOO LONG FOR 8X"),
        core.event("I00000080", 8, "MATCHED", "A_NEW_STATUS"),
        core.event("I00000081", 9, "CREATED", "UNMATCHED"),
    ]
    for event in told:
        core.offer(e.UpdatesArrived([event]))
    core.offer(e.UpdatesArrived([told[1]]))  # repeated
