"""`python -m tests.benchmarks.inside_limits`: many SIs through the bridge inside OCP's real limits, and who waits how long.

Sessions send input as fast as it is answered, while a desk holds, releases and enquires one after the other. The
pretend OCP judges: what was entered and in which order, how many calls it took, and how many were one too many.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvloop

from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import LINK, Stack, Words, utc_now

PARTICIPANTS = ["B01234", "B00001", "B00002", "B00003"]
COUNTERPARTY = "C00019"
_SI_NUMBER = re.compile(r"\bI\d{8}\b")
_PATIENCE_S = 120.0


@dataclasses.dataclass(frozen=True)
class Day:
    """What is sent: `instructions` in all on `sessions` with `window` in flight each; `rounds` of hold and enquiry."""

    instructions: int = 10_000
    sessions: int = 16
    window: int = 64
    rounds: int = 20
    #: calls of company in 60 s, at both; 0: as the profile says
    calls: int = 0


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of it. Waits in seconds, from sending to the answer."""

    seconds: float
    entered: int
    entered_twice: int
    out_of_order: list[str]
    calls: int
    turned_away: int
    most_in_a_minute: int
    worst_input_wait: float
    worst_hold_wait: float
    worst_enquiry_wait: float


class Sender(ScriptedPss):
    """Sends inputs, so many in flight, and notes how long each waits for its answer."""

    def __init__(self, number: int, count: int, window: int, words: Words) -> None:
        participant = PARTICIPANTS[number % len(PARTICIPANTS)]
        super().__init__(LINK, participant=participant, terminal=f"T{number:03d}", clock=utc_now)
        self.references = [f"L{number:02d}{index:08d}" for index in range(count)]
        self._window = window
        self._words = words
        self._sent: dict[str, float] = {}
        self.waits: list[float] = []
        self._related = re.compile(re.escape(words.holds("related", "@")).replace("@", r"(L\d{10})"))
        self.done = asyncio.get_running_loop().create_future()

    def go(self) -> None:
        """Fill the window."""
        self.send_more(self._window)

    def send_more(self, count: int) -> None:
        """Send so many more, as far as there are."""
        now = time.perf_counter()
        first = len(self._sent)
        for reference in self.references[first : first + count]:
            self._sent[reference] = now
            self._words.send_deliver(self, reference, counterparty=COUNTERPARTY)

    def happened(self, event: link.Event) -> None:
        """Note an answer, and send the next."""
        if not isinstance(event, link.AnswerReceived) or self.done.done():
            return
        found = self._related.search(event.frame.body.decode("ascii"))
        if found:
            self.waits.append(time.perf_counter() - self._sent[found[1]])
            if len(self.waits) == len(self.references):
                self.done.set_result(None)
            else:
                self.send_more(1)


class Desk:
    """Holds and releases one SI in turn, and asks for another, for as many rounds."""

    def __init__(self, pss: ScriptedPss, words: Words) -> None:
        self._pss = pss
        self._words = words
        self._number = ""
        self.holds: list[float] = []
        self.enquiries: list[float] = []

    async def open(self, counterparty: ScriptedPss) -> None:
        """Enter the SI, and the counterparty's, so that they match."""
        words = self._words
        words.send_receive(counterparty, "OTHER", counterparty=PARTICIPANTS[0])
        await counterparty.message(words.template["answer"], words.holds("related", "OTHER"))
        words.send_deliver(self._pss, "DESK", counterparty=COUNTERPARTY)
        got = await self._pss.message(words.template["answer"], words.holds("related", "DESK"))
        self._number = _SI_NUMBER.findall(got.text)[0]

    async def work(self, rounds: int) -> None:
        """Each round a hold or release and an enquiry, together."""
        for number in range(rounds):
            what = "release" if number % 2 else "hold"
            self._words.send_blocks(self._pss, what, f"H{number:06d}", self._number)
            self._words.send_enquiry(self._pss, f"E{number:06d}", related="NEVERSEEN")
            await asyncio.gather(
                self._answer(self._words.answer_to(what), f"H{number:06d}", self.holds),
                self._answer(self._words.template["standing"], f"E{number:06d}", self.enquiries),
            )

    async def _answer(self, template: str, reference: str, waits: list[float]) -> None:
        began = time.perf_counter()
        await self._pss.message(template, self._words.holds("related", reference), timeout_s=_PATIENCE_S)
        waits.append(time.perf_counter() - began)


async def play(folder: Path, day: Day) -> Played:
    """Play it by processes of its own, in `folder`."""
    made = Stack(folder, ocp_options=("--calls", str(day.calls or 480)))
    made.participants = [*PARTICIPANTS, COUNTERPARTY]
    made.pss_settings = "max_sessions_per_participant = 64\n"
    made.ocp_settings = f"company_calls = {day.calls}\n"
    try:
        await made.start_ocp()
        await made.start_bridge()
        desk_pss = await made.pss(PARTICIPANTS[0], "DESK")
        desk = Desk(desk_pss, made.words)
        other = await made.pss(COUNTERPARTY, "DESK")
        await desk.open(other)
        each = day.instructions // day.sessions
        senders = [Sender(number, each, day.window, made.words) for number in range(day.sessions)]
        for sender in senders:
            await sender.connect(made.host, made.port)
            await sender.log_on()
        began = time.perf_counter()
        for sender in senders:
            sender.go()
        async with asyncio.timeout(_PATIENCE_S):
            work = asyncio.ensure_future(desk.work(day.rounds))
            await asyncio.gather(*(sender.done for sender in senders))
            seconds = time.perf_counter() - began
            await work
        counted = await made.control("calls")
        done = (await made.control("ledger"))["done"]
        for pss in (desk_pss, other, *senders):
            pss.close()
    finally:
        await made.stop()
    entered = [line["request_reference"] for line in done if line["request_reference"].startswith("L")]
    return Played(
        seconds=round(seconds, 2),
        entered=len(entered),
        entered_twice=len(entered) - len(set(entered)),
        out_of_order=_out_of_order(entered),
        calls=counted["let_in"],
        turned_away=counted["turned_away"],
        most_in_a_minute=counted["most_at_once"],
        worst_input_wait=round(max(max(sender.waits) for sender in senders), 3),
        worst_hold_wait=round(max(desk.holds, default=0.0), 3),
        worst_enquiry_wait=round(max(desk.enquiries, default=0.0), 3),
    )


def _out_of_order(entered: list[str]) -> list[str]:
    """The references that OCP has before one that the same session sent earlier."""
    last: defaultdict[str, str] = defaultdict(str)
    wrong = []
    for reference in entered:
        if reference < last[reference[:3]]:
            wrong.append(reference)
        last[reference[:3]] = reference
    return wrong


def main() -> int:
    """Play and print; 1 where it took longer than a minute, or anything was lost, doubled, moved or refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in dataclasses.fields(Day):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    day = Day(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="pg-bridge-inside-limits-") as name:
        played = uvloop.run(play(Path(name), day))
    told: dict[str, Any] = dataclasses.asdict(day) | dataclasses.asdict(played)
    print(json.dumps(told, indent=2))
    is_whole = played.entered == day.instructions // day.sessions * day.sessions and not played.entered_twice
    is_good = is_whole and not played.out_of_order and not played.turned_away and played.seconds <= 60
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
