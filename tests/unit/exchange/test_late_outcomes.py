"""An outcome that is told late has the code that the answer of its function would have had (legacy-dialect section 4)."""

from __future__ import annotations

import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from tests.doubles.core import Core, kinds
from tests.doubles.si_world import WAYS

NUMBER = "I00000001"


def told_late(operation: str, status: str = "", refusal: str = "") -> str:
    """What the PSS is told unasked of a request of this operation that was answered late."""
    core = Core()
    if operation == "si_add":
        core.request("C1")
    else:
        core.request("R1")
        core.offer(e.CallAnswered(core.call(), [core.accepted("R1", NUMBER)]))
        template, message_type, how = WAYS[operation]
        if message_type == "530":
            body = core.words.blocks(how, "C1", NUMBER)
        else:
            body = core.words.about(core.words.deliver("C1", function=how), NUMBER)
        core.offer(e.RequestArrived("S1", "B01234", "PSS1", 9, template, message_type, body.decode("ascii"), body))
    (call,) = core.offer(e.LaneOpen("B01234", operation)).actions
    assert isinstance(call, a.Call)
    (member,) = core.state.batches[call.request_id].members
    core.offer(e.Overdue(member))
    answer = core.refused("C1", refusal) if refusal else core.accepted("C1", NUMBER, status)
    decision = core.offer(e.CallAnswered(call.request_id, [answer]))
    (delivery,) = core.state.outbox("B01234").queue.values()

    assert ["exchange_answered", "delivery_queued"] == kinds(decision)
    assert "SI60" == delivery.reply.template
    return delivery.reply.body


@pytest.mark.parametrize(
    ("operation", "status", "told"),
    [
        ("si_add", "UNMATCHED", "IPRC//PACK"),
        ("si_add", "PENDING", "IPRC//PPRC"),
        ("si_change", "UNMATCHED", "IPRC//PACK"),
        ("si_change", "PENDING", "IPRC//PPRC"),
        ("si_delete", "DELETED", "CPRC//CAND"),
        ("si_delete", "PENDING", "CPRC//CANP"),
        ("si_delete", "UNMATCHED", "CPRC//PACK"),
        ("si_revoke", "REVOKED", "CPRC//CAND"),
        ("si_revoke", "MATCHED", "CPRC//CANP"),
        ("si_authorise", "UNMATCHED", "TPRC//PACK"),
        ("si_authorise", "PENDING", "TPRC//PPRC"),
        ("si_hold", "MATCHED_ON_HOLD", "TPRC//PACK"),
    ],
)
def test_accepted(operation: str, status: str, told: str) -> None:
    body = told_late(operation, status)

    assert f":25D::{told}" in body
    assert f":20C::PREV//{NUMBER}" in body


@pytest.mark.parametrize(
    ("operation", "refusal", "told", "why"),
    [
        ("si_add", "400101", "IPRC//REJT", "REJT//DSEC"),
        ("si_change", "407002", "IPRC//REJT", "REJT//NARR"),
        ("si_delete", "407002", "CPRC//DEND", "DEND//NARR"),
        ("si_delete", "406001", "CPRC//REJT", "REJT//NARR"),
        ("si_revoke", "407002", "CPRC//DEND", "DEND//NARR"),
        ("si_authorise", "407002", "TPRC//REJT", "REJT//NARR"),
        ("si_hold", "407002", "TPRC//REJT", "REJT//NARR"),
    ],
)
def test_refused(operation: str, refusal: str, told: str, why: str) -> None:
    body = told_late(operation, refusal=refusal)

    assert f":25D::{told}" in body
    assert f":24B::{why}" in body
    assert 1 == body.count(":25D::")
    assert (f":20C::PREV//{NUMBER}" in body) is (operation != "si_add")
