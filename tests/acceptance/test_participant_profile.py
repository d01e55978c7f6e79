"""What one participant has set for itself: a default stock account, refusals in the form of the public sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import Stack, stack

ACCOUNT = b":97A::SAFE//00000001\r\n"
PROFILE = '[participants.B01234.profile]\nstock_account = "00000009"\nrefusal_form = "sample"\n'


def send_without_account(made: Stack, pss: ScriptedPss, reference: str, *, is_receive: bool = False) -> None:
    """Have a PSS enter an SI that names no stock account."""
    words = made.words
    body = (words.receive if is_receive else words.deliver)(reference)
    assert ACCOUNT in body
    pss.send(words.input["receive" if is_receive else "deliver"], words.input["template"], body.replace(ACCOUNT, b""))


@pytest.mark.asyncio
async def test_each_participant_is_served_by_its_own_texts(tmp_path: Path) -> None:
    async with stack(tmp_path, extra=PROFILE) as made:
        words = made.words
        own, other = await made.pss(), await made.pss("C00019")
        send_without_account(made, own, "OWN1")
        accepted = await own.message(words.template["answer"], words.holds("related", "OWN1"))
        own.send(
            words.asking["message_type"],
            words.asking["template"],
            words.enquiry("OWN2", related="OWN1").replace(ACCOUNT, b""),
        )
        standing = await own.message(words.template["standing"], words.holds("related", "OWN1"))
        words.send_deliver(own, "OWN3", quantity="1,5")
        refused = await own.message(words.template["answer"], words.holds("related", "OWN3"))
        words.send_about(own, "deletion", "OWN4", "NOSUCHSI")
        not_deleted = await own.message(words.answer_to("deletion"), words.holds("related", "OWN4"))
        send_without_account(made, other, "OTHER1", is_receive=True)
        without = await other.message(words.template["answer"], words.holds("related", "OTHER1"))
        await own.log_off()
        await other.log_off()
        entered = [await made.entered(reference) for reference in ("OWN1", "OWN3", "OTHER1")]

    assert words.holds("accepted") in accepted.text
    assert ":97A::SAFE//00000009\r\n" in standing.text
    for refusal in (refused, not_deleted):
        assert ":25D::SETT//PEND\r\n:16R:REAS\r\n:24B::DEND//NARR\r\n:70D::REAS//" in refusal.text
    assert ":25D::IPRC//REJT\r\n:16R:REAS\r\n:24B::REJT//SAFE\r\n" in without.text
    assert [1, 0, 0] == [len(lines) for lines in entered]
