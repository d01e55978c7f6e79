"""What every exchange.ports.Ocp does: the fake that other tests rest on, and the client against the pretend OCP."""

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pg_bridge.errors import OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpUnavailable
from pg_bridge.exchange.ports import Ocp
from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.simulator.faults import Fault, FaultKind
from tests.doubles import ocp_world as world
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.pretend_ocp import client_and_pretend

PROFILE = world.ocp_profile()
TODAY = "2026-11-23"


class Subject:
    """One OCP under contract: the port, how to make it fail, and what it really did."""

    def __init__(
        self,
        ocp: Ocp,
        fail: Callable[[type[OcpError], bool], None],
        ledger: Callable[[], list[tuple[str, str]]],
    ) -> None:
        self.ocp = ocp
        self.fail = fail
        self.ledger = ledger

    async def add(self, *references: str, request_id: str | None = None, **changes: Any) -> list[dict[str, Any]]:
        body = world.bulk([world.si_entry(reference, **changes) for reference in references])
        return await self.ocp.write(Operation.SI_ADD, "B01234", request_id or str(uuid.uuid4()), body)

    async def find(self, **asked: Any) -> list[dict[str, Any]]:
        return await self.ocp.ask(Operation.SI_QUERY, "B01234", {"participantId": "B01234", **asked})

    async def events(self, after: int = 0) -> list[dict[str, Any]]:
        asked = {"participantId": "B01234", "businessDate": TODAY, "afterSequence": after}
        return await self.ocp.ask(Operation.STATUS_EVENTS, "B01234", asked)


class OcpContract:
    """Subclasses give the fixture `subject`."""

    async def test_entries_are_answered_in_order_with_their_numbers(self, subject: Subject) -> None:
        entries = await subject.add("R2", "R1", "R3")

        assert [entry["requestReference"] for entry in entries] == ["R2", "R1", "R3"]
        assert len({entry["siNumber"] for entry in entries}) == 3
        assert [fault for entry in entries for fault in PROFILE.faults("SiAnswerEntry", entry)] == []
        assert [reference for reference, _ in subject.ledger()] == ["R2", "R1", "R3"]

    async def test_what_was_entered_is_found(self, subject: Subject) -> None:
        (answer,) = await subject.add("R1", quantity=777)
        await subject.add("R2")

        for asked in (
            {"requestReference": "R1", "businessDate": TODAY},
            {"participantReference": "R1"},
            {"siNumber": answer["siNumber"]},
        ):
            (found,) = await subject.find(**asked)
            assert found["siNumber"] == answer["siNumber"]
            assert found["quantity"] == 777
            assert PROFILE.faults("SiQueryEntry", found) == []

    async def test_nothing_is_found_where_nothing_is(self, subject: Subject) -> None:
        await subject.add("R1")

        assert await subject.find(requestReference="R9", businessDate=TODAY) == []
        assert await subject.find(requestReference="R1", businessDate="2026-11-20") == []

    async def test_every_page_of_a_listing_comes(self, subject: Subject) -> None:
        references = [f"R{number}" for number in range(230)]
        await subject.add(*references)

        found = await subject.find(size=100)
        events = await subject.events()

        assert [entry["requestReference"] for entry in found] == references
        assert len(events) >= 230

    async def test_a_reference_used_today_refuses_that_entry_alone(self, subject: Subject) -> None:
        await subject.add("R1")

        again, fresh = await subject.add("R1", "R2")

        (error,) = again["exception"]
        assert PROFILE.meaning("refusal", error["recordErrorCode"]) is Refusal.REFERENCE_USED
        assert again["siNumber"] is None
        assert fresh["exception"] == []
        assert [reference for reference, _ in subject.ledger()] == ["R1", "R2"]

    async def test_a_used_request_id_is_refused_whole(self, subject: Subject) -> None:
        request_id = str(uuid.uuid4())
        await subject.add("R1", request_id=request_id)

        with pytest.raises(OcpRefused) as caught:
            await subject.add("R1", request_id=request_id)

        ((code, _),) = caught.value.refusals
        assert PROFILE.meaning("refusal", code) is Refusal.REQUEST_ID_REPEATED
        assert len(subject.ledger()) == 1

    async def test_too_many_entries_are_refused_whole(self, subject: Subject) -> None:
        with pytest.raises(OcpRefused) as caught:
            await subject.add(*(f"R{number}" for number in range(1001)))

        assert PROFILE.meaning("refusal", caught.value.refusals[0][0]) is Refusal.TOO_MANY_ENTRIES
        assert subject.ledger() == []

    async def test_other_writes_name_the_si(self, subject: Subject) -> None:
        (entered,) = await subject.add("R1")
        delete = {"requestReference": "D1", "participantId": "B01234", "siNumber": entered["siNumber"]}

        (deleted,) = await subject.ocp.write(Operation.SI_DELETE, "B01234", str(uuid.uuid4()), world.bulk([delete]))
        (found,) = await subject.find(siNumber=entered["siNumber"])

        assert deleted["exception"] == []
        assert (deleted["requestReference"], deleted["participantReference"]) == ("D1", "R1")
        assert (found["lastRequestReference"], found["status"]) == ("D1", "DELETED")
        assert await subject.find(requestReference="D1", businessDate=TODAY) == [found]
        assert subject.ledger()[-1] == ("D1", entered["siNumber"])

    async def test_an_unknown_si_refuses_that_entry(self, subject: Subject) -> None:
        delete = {"requestReference": "D1", "participantId": "B01234", "siNumber": "I99999999"}

        (answer,) = await subject.ocp.write(Operation.SI_DELETE, "B01234", str(uuid.uuid4()), world.bulk([delete]))

        assert PROFILE.meaning("refusal", answer["exception"][0]["recordErrorCode"]) is Refusal.SI_UNKNOWN
        assert subject.ledger() == []

    async def test_events_count_from_one_without_gaps(self, subject: Subject) -> None:
        answers = await subject.add("R1", "R2")

        events = await subject.events()
        later = await subject.events(after=1)

        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert {event["siNumber"] for event in events} == {answer["siNumber"] for answer in answers}
        assert later == events[1:]
        assert [fault for event in events for fault in PROFILE.faults("StatusEvent", event)] == []

    @pytest.mark.parametrize("error", [OcpUnavailable, OcpDenied, OcpRefused])
    async def test_what_surely_did_nothing_may_go_again_with_the_same_id(
        self, subject: Subject, error: type[OcpError]
    ) -> None:
        request_id = str(uuid.uuid4())
        subject.fail(error, False)

        with pytest.raises(error):
            await subject.add("R1", request_id=request_id)
        assert subject.ledger() == []

        (answer,) = await subject.add("R1", request_id=request_id)
        assert subject.ledger() == [("R1", answer["siNumber"])]

    async def test_an_unknown_outcome_that_was_done_is_found(self, subject: Subject) -> None:
        request_id = str(uuid.uuid4())
        subject.fail(OcpOutcomeUnknown, True)

        with pytest.raises(OcpOutcomeUnknown):
            await subject.add("R1", request_id=request_id)
        (found,) = await subject.find(requestReference="R1", businessDate=TODAY)
        with pytest.raises(OcpRefused):
            await subject.add("R1", request_id=request_id)

        assert subject.ledger() == [("R1", found["siNumber"])]

    async def test_an_unknown_outcome_that_was_not_done_may_go_again(self, subject: Subject) -> None:
        request_id = str(uuid.uuid4())
        subject.fail(OcpOutcomeUnknown, False)

        with pytest.raises(OcpOutcomeUnknown):
            await subject.add("R1", request_id=request_id)
        assert await subject.find(requestReference="R1", businessDate=TODAY) == []

        (answer,) = await subject.add("R1", request_id=request_id)
        assert subject.ledger() == [("R1", answer["siNumber"])]


class TestFakeOcp(OcpContract):
    """The fake."""

    @pytest.fixture
    async def subject(self) -> Subject:
        fake = FakeOcp(PROFILE, world.FakeClock())

        def fail(error: type[OcpError], after_work: bool) -> None:
            fake.fail_next(error(), after_work=after_work)

        return Subject(fake, fail, lambda: [(done.request_reference, done.si_number) for done in fake.ledger])


#: how the pretend OCP brings each error about; (error, the work is done) -> its fault and how often
FAULTS = {
    (OcpUnavailable, False): (FaultKind.CLOSED, 1),
    (OcpDenied, False): (FaultKind.DENIED, 2),
    (OcpRefused, False): (FaultKind.REFUSED, 1),
    (OcpOutcomeUnknown, True): (FaultKind.CUT_AFTER, 1),
    (OcpOutcomeUnknown, False): (FaultKind.CUT_BEFORE, 1),
}


class TestOcpClient(OcpContract):
    """The client, over real HTTP, against the pretend OCP."""

    @pytest.fixture
    async def subject(self) -> AsyncIterator[Subject]:
        async with client_and_pretend(PROFILE) as (client, pretend):

            def fail(error: type[OcpError], after_work: bool) -> None:
                kind, count = FAULTS[error, after_work]
                pretend.faults.order(Fault(kind=kind, operation=Operation.SI_ADD.value, count=count))

            def ledger() -> list[tuple[str, str]]:
                return [(done.request_reference, done.si_number) for done in pretend.ledger.after(0)]

            yield Subject(client, fail, ledger)
