"""Status events by stream, of an OCP that is shaped otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.stack import QUICK, stack


@pytest.mark.parametrize("driver", ["sse", "poll"])
async def test_other_shapes_come_by_stream_and_by_polling(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BRIDGE_PUSH_DRIVER", driver)
    async with stack(tmp_path, set_name="both_b", extra=QUICK) as made:
        words = made.words
        seller, buyer = await made.pss("B01234"), await made.pss("C00019")
        words.send_deliver(seller, "ST1", stock="00031")
        await seller.message(words.template["answer"], words.holds("related", "ST1"))
        words.send_receive(buyer, "ST2", stock="00031")
        for pss, reference in ((seller, "ST1"), (buyer, "ST2")):
            told = [words.holds("related", reference), words.holds("matched")]
            await pss.message(words.template["told"], *told)
            await pss.log_off()

        assert [] == (await made.control("state"))["subscriptions"]
