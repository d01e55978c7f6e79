"""The same traffic to the bridge before a pretend OCP and to the pretend PG: a PSS is told the same by both."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path

import pytest

from pg_bridge.cli.world import utc_now
from pg_bridge.simulator.clock import HONG_KONG, Run
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.gateways import GatewayWorld
from tests.doubles.stack import Stack, Words, stack, weekday_after

SELLER, BUYER = "B01234", "C00019"
#: whose; what; reference; what it names; other quantity: in this order
STEPS = (
    (SELLER, "deliver", "S1", (), {}),
    (BUYER, "receive", "R1", (), {}),
    (SELLER, "hold", "H1", ("S1",), {}),
    (SELLER, "hold", "H2", ("S1",), {}),
    (BUYER, "hold", "H3", ("R1",), {}),
    (SELLER, "enquire", "E1", ("S1",), {}),
    (SELLER, "release", "H4", ("S1",), {}),
    (BUYER, "release", "H5", ("R1",), {}),
    (SELLER, "deliver", "S2", (), {"quantity": "70,", "function": "hold"}),
    (BUYER, "receive", "R2", (), {"quantity": "71,"}),
    (BUYER, "change", "R3", ("R2",), {"quantity": "70,"}),
    (SELLER, "revocation", "V1", ("S2",), {"quantity": "70,"}),
    (SELLER, "revocation", "V2", ("S2",), {"quantity": "70,"}),
    (BUYER, "revocation", "V3", ("R2",), {"quantity": "70,"}),
    (SELLER, "deletion", "D1", ("S2",), {"quantity": "70,"}),
    (SELLER, "deliver", "S4", (), {"quantity": "33,"}),
    (SELLER, "deliver", "S4", (), {"quantity": "33,"}),
    (SELLER, "deliver", "S4", (), {"quantity": "34,"}),
    (SELLER, "change", "S5", ("S4",), {"quantity": "35,"}),
    (SELLER, "list", "L1", ("unmatched",), {}),
    (SELLER, "deletion", "D2", ("S4",), {"quantity": "35,"}),
    (SELLER, "deletion", "D3", ("NOSUCH",), {}),
    (SELLER, "list", "L2", ("cancelled",), {}),
    (SELLER, "list", "L3", ("unmatched",), {}),
    (SELLER, "list", "L4", ("matched",), {}),
    (SELLER, "hold", "H6", ("S1", "NOSUCH", "S4"), {}),
    (BUYER, "authorisation", "A1", ("R1",), {}),
    (SELLER, "deliver", "S6", (), {"stock": "00X"}),
    (SELLER, "deliver", "S7", (), {"quantity": "0,"}),
    (BUYER, "enquire", "E2", ("NOSUCH",), {}),
    (SELLER, "release", "H7", ("S1",), {}),
)
#: the same, where a second user of the seller authorises
WITH_A_CHECKER = (
    (SELLER, "deliver", "S8", (), {"quantity": "88,"}),
    (SELLER, "enquire", "E3", ("S8",), {}),
    (SELLER, "deliver", "S9", (), {"quantity": "99,"}),
    (SELLER, "change", "C1", ("S9",), {"quantity": "98,"}),
    (BUYER, "receive", "R9", (), {"quantity": "98,"}),
    (SELLER, "authorisation", "A2", ("S8", "S9", "S1"), {}),
    (SELLER, "deletion", "D4", ("S8",), {"quantity": "88,"}),
)


@dataclass
class Beside:
    """Both sides, and what each told the participants, in its own SI numbers."""

    stack: Stack
    gateway: GatewayWorld
    words: Words
    pss: dict[str, ScriptedPss] = field(default_factory=dict)
    seen: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def step(
        self, participant: str, what: str, reference: str, named: tuple[str, ...], more: dict[str, str]
    ) -> tuple[list[str], list[str]]:
        """What the gateway and what the bridge tell all participants for one request, as far as they must agree."""
        type_, template, body = message(self.words, what, reference, named, more)
        self.gateway.take(participant, template, type_, body)
        self.pss[participant].send(type_, template, body)
        return await self.told()

    async def told(self) -> tuple[list[str], list[str]]:
        """What came of both, as far as they must agree."""
        due = self.gateway.told()
        bridged = []
        for participant, pss in self.pss.items():
            until = self.seen[participant] + sum(whose == participant for whose, _ in due)
            async with asyncio.timeout(10):
                while len(pss.received) < until:
                    pss._changed.clear()
                    await pss._changed.wait()
            bridged += [(participant, got.text) for got in pss.received[self.seen[participant] :]]
            self.seen[participant] = len(pss.received)
        return agreed(due), agreed(bridged)


def message(
    words: Words, what: str, reference: str, named: tuple[str, ...], more: dict[str, str]
) -> tuple[str, str, bytes]:
    """Message type, template and text block of a step."""
    texts = words._texts
    if what in ("hold", "release", "authorisation"):
        return texts[what]["message_type"], texts[what]["template"], words.blocks(what, reference, *named)
    if what == "enquire":
        return words.asking["message_type"], words.asking["template"], words.enquiry(reference, related=named[0])
    if what == "list":
        body = texts["list"]["body"].lstrip("\n").replace("@reference@", reference)
        for hole, filled in (("@day@", ""), ("@narrowed@", ""), ("@asked@", texts["list"][named[0]])):
            body = body.replace(hole, filled)
        return texts["list"]["message_type"], texts["list"]["template"], body.replace("\n", "\r\n").encode()
    given = dict(more)
    is_receipt = what == "receive" or (named and named[0].startswith("R"))
    if given.get("function") == "hold":
        given["function"] = "PREA"
    if what in ("deletion", "revocation"):
        given["function"] = texts["about"]["cancel"]
    body = (words.receive if is_receipt else words.deliver)(reference, **given)
    if what in ("deliver", "receive"):
        return words.input[what], words.input["template"], body
    type_ = words.input["receive" if is_receipt else "deliver"]
    return type_, texts[what]["template"], words.about(body, named[0])


def agreed(told: list[tuple[str, str]]) -> list[str]:
    """What was told, without what each side says in its own way: references, SI numbers, words of a refusal."""
    found = []
    for participant, text in told:
        text = re.sub(r":20C::SEME//\S+", ":20C::SEME//", text)
        text = re.sub(r":20C::PREV//[A-Z]\d{8}", ":20C::PREV//NUMBER", text)
        if re.search(r":25D::\w+//(REJT|DEND)", text):
            text = re.sub(r":70D:.*?(?=\r\n:)", ":70D:", text, flags=re.DOTALL)
        found.append(f"{participant}\n{text}".replace("\r\n", "\n"))
    return sorted(found)


def lines(step: object, told: list[str]) -> list[str]:
    """What is compared of a step, line by line."""
    return [str(step), *"\n".join(told).split("\n")]


@pytest.mark.asyncio
@pytest.mark.parametrize("set_name", ["shipped", "legacy_b"])
async def test_a_pss_is_told_the_same_by_the_bridge_and_by_the_pretend_pg(tmp_path: Path, set_name: str) -> None:
    async with stack(tmp_path, set_name=set_name) as made:
        beside = Beside(made, GatewayWorld(set_name, utc_now().astimezone(HONG_KONG)), made.words)
        beside.pss = {name: await made.pss(name) for name in (SELLER, BUYER)}
        for step in STEPS:
            gateway, bridge = await beside.step(*step)
            assert lines(step, gateway) == lines(step, bridge)
        beside.gateway.gateway.book.set_rules(maker_checker=frozenset({SELLER}))
        await made.control("rules", {"maker_checker": [SELLER]})
        for step in WITH_A_CHECKER:
            gateway, bridge = await beside.step(*step)
            assert lines(step, gateway) == lines(step, bridge)
        day = datetime.combine(weekday_after(2), time(9), HONG_KONG)
        beside.gateway.now = day
        beside.gateway.gateway.run(Run.SETTLE)
        await made.control("clock", {"jump": day.isoformat()})
        await made.control("run", {"run": "settle"})
        gateway, bridge = await beside.told()
        for pss in beside.pss.values():
            await pss.log_off()

    assert lines("settlement", gateway) == lines("settlement", bridge)
    assert 4 == len(gateway)
    assert dict(beside.seen) == {name: len(pss.received) for name, pss in beside.pss.items()}
