"""An outcome that is late: the PSS is told in time that it is awaited, and the outcome follows unasked."""

from __future__ import annotations

from pathlib import Path

from tests.doubles.stack import stack


async def test_late_outcome_is_told_as_awaited_and_follows(tmp_path: Path) -> None:
    async with stack(tmp_path, extra="[exchange]\nanswer_within_s = 0.5\n") as made:
        pss = await made.pss()
        await made.fault("si_add", "late", delay_s=2.5)
        made.words.send_deliver(pss, "LATE1")
        first = await pss.message("SI51", ":20C::RELA//LATE1")
        made.words.send_deliver(pss, "LATE2")
        await pss.message("SI60", ":20C::RELA//LATE1", timeout_s=10)
        await pss.message("SI51", ":20C::RELA//LATE2", timeout_s=10)
        await pss.log_off()
        entered = await made.entered("LATE1")

    assert ":25D::IPRC//PPRC" in first.text
    assert ":70D::REAS//" in first.text
    assert 1 == len(entered)
    assert 1 == sum(got.frame.template == "SI51" and "RELA//LATE1" in got.text for got in pss.received)
