"""A lost change, deletion, revocation, authorisation or hold: which SI, as OCP tells it, shows that it was done."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.record import Reply
from pg_bridge.exchange.seeking import is_done
from tests.doubles.core import Core, kinds
from tests.doubles.si_world import WAYS

NUMBER = "I00000091"
#: operation -> the SI as it asks for; as it was before
STANDS: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "si_delete": (("DELETED", {}), ("UNMATCHED", {})),
    "si_revoke": (("MATCHED", {"revokeOwn": True}), ("MATCHED", {})),
    "si_authorise": (("UNMATCHED", {}), ("PENDING", {})),
    "si_hold": (("MATCHED_ON_HOLD", {"holdOwn": True}), ("MATCHED", {})),
}
TODAY, YESTERDAY = "2026-11-24T10:00:01.000+08:00", "2026-11-23T10:00:01.000+08:00"


def lost(operation: str) -> tuple[Core, str]:
    """A call of this operation that was lost: the core, and the request id."""
    core = Core()
    template, message_type, how = WAYS[operation]
    words = core.words
    if message_type == "530":
        body = words.blocks(how, "C1", NUMBER)
    else:
        body = words.about(words.deliver("C1", function=how), NUMBER)
    core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, template, message_type, body.decode("ascii"), body))
    if core.state.exchanges["X1"].sought:
        core.offer(e.SiSought("X1", [core.event(NUMBER, 1, "CREATED", "UNMATCHED")]))
    (call,) = core.offer(e.LaneOpen("B01234", operation)).actions
    assert isinstance(call, a.Call)
    core.offer(e.CallLost(call.request_id, "504"))
    return core, call.request_id


def entry(core: Core, status: str, last: str | None, updated: str = TODAY, **more: Any) -> dict[str, Any]:
    return core.event(NUMBER, 1, "CHANGED", status, lastRequestReference=last, updatedAt=updated, **more)


@pytest.mark.parametrize("operation", list(STANDS))
@pytest.mark.parametrize(
    ("last", "updated", "as_asked", "is_used", "done"),
    [
        ("C1", TODAY, True, False, True),
        ("C1", TODAY, False, False, False),  # C1 of another day, and something else happened today
        ("C1", YESTERDAY, True, False, False),  # C1 of another day
        ("OTHERS", TODAY, True, False, False),  # another's like act
        (None, TODAY, True, False, False),
        ("OTHERS", TODAY, True, True, True),  # done, and touched by another after it
        ("OTHERS", TODAY, False, True, False),
    ],
)
def test_what_shows_that_a_request_was_done(
    operation: str, last: str | None, updated: str, as_asked: bool, is_used: bool, done: bool
) -> None:
    core, _ = lost(operation)
    status, more = STANDS[operation][0 if as_asked else 1]

    assert done is is_done(
        core.terms, core.state.exchanges["X1"], entry(core, status, last, updated, **more), is_used=is_used
    )


@pytest.mark.parametrize(
    ("last", "updated", "is_used", "done"),
    [
        ("C1", TODAY, False, True),
        ("C1", YESTERDAY, False, False),
        ("OTHERS", TODAY, False, False),
        ("OTHERS", TODAY, True, False),  # nothing shows whose change it is
    ],
)
def test_only_the_last_reference_shows_a_change(last: str, updated: str, is_used: bool, done: bool) -> None:
    core, _ = lost("si_change")

    assert done is is_done(
        core.terms, core.state.exchanges["X1"], entry(core, "UNMATCHED", last, updated), is_used=is_used
    )


def test_request_whose_si_stands_as_asked_by_another_goes_again_and_ocp_decides() -> None:
    core, request_id = lost("si_delete")
    again = core.offer(e.Looked(request_id, {}))
    decision = core.offer(e.CallAnswered(request_id, [core.refused("C1", "407002")]))

    assert a.Call(request_id) in again.actions
    assert ["exchange_answered"] == kinds(decision)
    assert ":25D::CPRC//DEND" in _reply(core).body


def test_used_request_whose_si_was_touched_by_another_after_it_is_accepted_and_the_journal_says_so() -> None:
    core, request_id = lost("si_hold")
    core.offer(e.Looked(request_id, {}))
    core.offer(e.CallRefused(request_id, (core.terms.fault("411002", "request_id_repeated", "used"),)))
    status, more = STANDS["si_hold"][0]
    decision = core.offer(e.Looked(request_id, {"X1": entry(core, status, "OTHERS", **more)}))

    assert ":25D::TPRC//PACK" in _reply(core).body
    assert ("PGB-XCH-006",) == decision.entries[0].findings
    assert b"OTHERS was the last to touch the SI" in decision.entries[0].payload


def test_lost_change_that_another_overtook_is_in_doubt_for_a_person() -> None:
    core, request_id = lost("si_change")
    core.offer(e.Looked(request_id, {}))
    core.offer(e.CallRefused(request_id, (core.terms.fault("411002", "request_id_repeated", "used"),)))
    for _ in range(3):
        core.offer(e.Looked(request_id, {}))

    assert Stage.IN_DOUBT is core.state.exchanges["X1"].stage


def _reply(core: Core) -> Reply:
    reply = core.state.exchanges["X1"].reply
    assert reply is not None
    return reply
