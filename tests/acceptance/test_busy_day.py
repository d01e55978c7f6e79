"""Many at once, both sides, with updates: nothing lost, nothing doubled, each SI told in its order."""

from __future__ import annotations

from pathlib import Path

from pg_bridge.journal.verify import verify
from tests.doubles.stack import deliver, receive, stack

_PAIRS = 200


async def test_every_pair_is_entered_matched_and_told_once(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        seller, buyer = await made.pss("B01234"), await made.pss("C00019")
        for number in range(_PAIRS):
            stock = f"{number + 10:05d}"
            seller.send("543", "SI01", deliver(f"S{number:04d}", stock=stock))
            buyer.send("541", "SI01", receive(f"B{number:04d}", stock=stock))
        for number in range(_PAIRS):
            for pss, reference in ((seller, f"S{number:04d}"), (buyer, f"B{number:04d}")):
                await pss.message("SI51", f":20C::RELA//{reference}\r\n", "PACK", timeout_s=30)
                await pss.message("SI60", f":20C::RELA//{reference}\r\n", ":25D::MTCH//MACH", timeout_s=30)
        await seller.log_off()
        await buyer.log_off()
        done = (await made.control("ledger"))["done"]

    assert 2 * _PAIRS == len({line["request_reference"] for line in done}) == len(done)
    for pss in (seller, buyer):
        texts = [got.text for got in pss.received if not got.frame.possible_duplicate]
        assert len(texts) == len(set(texts))
        order = [(got.frame.template, got.text.split("RELA//")[1][:5]) for got in pss.received]
        for template, reference in order:
            if template == "SI60":
                assert order.index(("SI51", reference)) < order.index(("SI60", reference))
    assert () == verify(made.journal).findings
