"""A trading day under faults: many PSS requests of every kind, a pretend OCP that goes wrong as told, and the judgement.

Bridge and pretend OCP are those of own_stage: one process, real HTTP and TCP, simulated time, all from a seed. What a
PSS was told is judged by OCP's own ledger: accepted is done exactly once, refused is not done at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from pg_bridge.cli.own_stage import Set, own_stage
from pg_bridge.console.exchanges import EXCHANGES_PATH
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.standing import Listing
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from pg_bridge.simulator.scenario import Stage
from pg_bridge.simulator.scenario_stage import Place
from pg_bridge.simulator.simulated_loop import SimulatedLoop, run_simulated
from tests.doubles.mapping_sets import set_files
from tests.doubles.stack import Words, weekday_after

Json = dict[str, Any]
SELLER, BUYER, MAKER = "B01234", "C00019", "D00003"
#: the settlement day of every SI: two weekdays behind the day on which worlds begin
SETTLES = b"20261125"
#: requests that one PSS has under way
WINDOW = 8
#: simulated seconds: of all traffic under faults; then, with none, for what is still open; between two ticks
UNDER_FAULTS_S, SETTLES_S, TICK_S = 3600.0, 600.0, 5.0
#: of groups of SIs, what becomes of them beside their input; each has as many SIs as it names sides
STORIES = ("hold", "hold", "revoke", "change", "delete", "authorise", "input", "input", "input")
_SIDES = {"hold": 2, "revoke": 2}
#: of a request about an SI, what a status change holds that tells late that it was done
LATE = {
    "si_hold": ("done",),
    "si_authorise": ("done",),
    "si_change": ("accepted",),
    "si_delete": ("cancelled",),
    "si_revoke": ("cancel_waits", "cancelled"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a PSS. operation: the concept of what is to be done by it."""

    participant: str
    reference: str
    operation: str


@dataclass(slots=True)
class Figures:
    """How a day under faults went. wrong: what was not as it should be, in words."""

    fault: str
    sis: int = 0
    requests: int = 0
    calls: int = 0
    unknown: int = 0
    #: looks that did not find all
    looks: int = 0
    refused: int = 0
    in_doubt: int = 0
    lost: int = 0
    doubled: int = 0
    wrong_answers: int = 0
    unanswered: int = 0
    undelivered: int = 0
    simulated_s: float = 0.0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Each done exactly once or not at all, told rightly, nothing in doubt and nothing left."""
        return not self.wrong


class _Side(ScriptedPss):
    """A PSS that keeps what it is told by reference, and lets a bounded number of requests be under way."""

    def __init__(self, day: FaultDay, participant: str) -> None:
        super().__init__(day.chosen.link, participant=participant, clock=day.place.backstage.clock)  # type: ignore[attr-defined]
        self._day = day
        self.window = asyncio.Semaphore(WINDOW)
        #: reference -> the outcomes that it was told, in order
        self.told: dict[str, list[str]] = defaultdict(list)
        self.numbers: dict[str, str] = {}
        #: SI number -> requests about it that were told to wait, each with what tells that it was done
        self.awaited: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._outcomes: dict[str, asyncio.Future[str]] = {}

    def happened(self, event: link.Event) -> None:
        """Understand what is told."""
        if not isinstance(event, link.AnswerReceived | link.UnsolicitedReceived):
            return
        text = event.frame.body.decode("ascii")
        reference = _between(text, ":20C::RELA//")
        number = _between(text, ":20C::PREV//")
        outcome = self._day.outcome_in(text)
        if reference and not outcome:
            self.awaited[number][reference] = self._day.late_texts(reference)
        if not reference or not outcome:
            return
        if number:
            self.numbers.setdefault(reference, number)
        self._tell(reference, outcome)
        # A request about an SI that was done is told late under the SI's own reference (legacy-dialect section 4).
        for other, texts in list(self.awaited[number].items() if number else ()):
            if any(late in text for late in texts):
                del self.awaited[number][other]
                self._tell(other, "accepted")

    def _tell(self, reference: str, outcome: str) -> None:
        self.told[reference].append(outcome)
        waiting = self.outcome(reference)
        if not waiting.done():
            waiting.set_result(outcome)

    def outcome(self, reference: str) -> asyncio.Future[str]:
        """The first outcome told of a request."""
        return self._outcomes.setdefault(reference, asyncio.get_running_loop().create_future())


def _between(text: str, head: str) -> str:
    _, found, rest = text.partition(head)
    return rest.split("\r\n", 1)[0] if found else ""


class FaultDay:
    """One day in a world of its own."""

    def __init__(self, fault: str, orders: Sequence[Json], *, sis: int, seed: int, set_name: str) -> None:
        files = {path: text for path, text in set_files(set_name).items() if path != "messages.toml"}
        self.chosen = _chosen(set_name) if set_name in _CHOSEN else _CHOSEN.setdefault(set_name, Set(files, ""))
        self.words = Words(set_name)
        self.place: Place
        self._orders = orders
        self._sis = sis
        self._seed = seed
        self._journal = MemoryJournal()
        self._asked: list[Asked] = []
        self._sides: dict[str, _Side] = {}
        self._refusals = [self.words.holds(name) for name in ("refused", "not_done", "cancel_refused", "cancel_denied")]
        self.figures = Figures(fault)

    async def run(self, loop: SimulatedLoop, on_done: Callable[[int], None]) -> Figures:
        """Play it. on_done: told after each SI's story how many SIs it had."""
        began = time.perf_counter()
        stage = Stage(
            ocp={"clock": "runs", "maker_checker": [MAKER]},
            bridge={"exchange": {"retry_first_s": 0.5, "retry_most_s": 5.0}},
        )
        with tempfile.TemporaryDirectory() as folder:
            async with own_stage(
                loop, self.chosen, (SELLER, BUYER, MAKER), Path(folder), seed=self._seed, stage=stage,
                journal=self._journal,
            ) as place:  # fmt: skip
                self.place = place
                await self._play(on_done)
                await self._judge()
        self.figures.simulated_s = loop.time()
        self.figures.seconds = time.perf_counter() - began
        return self.figures

    def outcome_in(self, text: str) -> str:
        """What a message tells: accepted, refused, or nothing yet."""
        if any(refusal in text for refusal in self._refusals):
            return "refused"
        return "" if "NOT KNOWN" in text.replace("\r\n", " ") else "accepted"

    def late_texts(self, reference: str) -> list[str]:
        """What tells late that a request about an SI was done; nothing of an input: that is told by its reference."""
        operation = next(asked.operation for asked in reversed(self._asked) if asked.reference == reference)
        return [self.words.holds(name) for name in LATE.get(operation, ())]

    # --- what is done

    async def _play(self, on_done: Callable[[int], None]) -> None:
        for participant in (SELLER, BUYER, MAKER):
            side = self._sides[participant] = _Side(self, participant)
            await side.connect(*self.place.nodes[0])
            await side.log_on()
        ticking = asyncio.create_task(self._tick())
        for order in self._orders:
            await self.place.control.order("faults", order)
        stories = [asyncio.create_task(story) for story in self._stories(on_done)]
        _, late = await asyncio.wait(stories, timeout=UNDER_FAULTS_S)
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.delete(f"{self.place.control._url}/faults")).raise_for_status()
        if late:
            await asyncio.wait(late, timeout=SETTLES_S)
        for _ in range(int(SETTLES_S / TICK_S)):
            await asyncio.sleep(TICK_S)
            listed = await self._listed()
            if not (listed.open or listed.undelivered):
                break
        for story in stories:
            if story.done():
                story.result()
            story.cancel()
        for side in self._sides.values():
            with contextlib.suppress(TimeoutError):
                await side.log_off()
        ticking.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for side in self._sides.values():
                side.tick()

    def _stories(self, on_done: Callable[[int], None]) -> list[Coroutine[Any, Any, None]]:
        made = []
        left = self._sis
        while left > 0:
            number = len(made)
            kind = STORIES[number % len(STORIES)]
            count = min(left, _SIDES.get(kind, 1))
            made.append(self._story(number, kind if count == _SIDES.get(kind, 1) else "input", count, on_done))
            left -= count
        return made

    async def _story(self, number: int, kind: str, count: int, on_done: Callable[[int], None]) -> None:
        words, stock = self.words, f"{number % 99_000 + 1:05d}"
        seller = self._sides[MAKER if kind == "authorise" else SELLER]
        reference = f"S{number:06d}"
        inputs = [self._ask(seller, reference, "si_add", words.input, words.deliver(reference, stock=stock))]
        if count == 2:
            buyer, other = self._sides[BUYER], f"R{number:06d}"
            inputs.append(self._ask(buyer, other, "si_add", words.input, words.receive(other, stock=stock)))
        outcomes = await asyncio.gather(*inputs)
        si_number = seller.numbers.get(reference, "")
        if set(outcomes) == {"accepted"} and si_number:
            await self._go_on(kind, number, seller, si_number, stock)
        on_done(count)

    async def _go_on(self, kind: str, number: int, seller: _Side, si_number: str, stock: str) -> None:
        words = self.words
        match kind:
            case "hold":
                for what in ("hold", "release"):
                    reference = f"{what[0].upper()}{number:06d}"
                    body = words.blocks(what, reference, si_number)
                    await self._ask(seller, reference, "si_hold", words._texts[what], body)
            case "authorise":
                reference = f"A{number:06d}"
                body = words.blocks("authorisation", reference, si_number)
                await self._ask(seller, reference, "si_authorise", words._texts["authorisation"], body)
            case "revoke":
                buyer = self._sides[BUYER]
                other = buyer.numbers.get(f"R{number:06d}", "")
                both = [self._cancel(seller, "revocation", f"V{number:06d}", si_number, stock, is_receive=False)]
                if other:
                    both.append(self._cancel(buyer, "revocation", f"W{number:06d}", other, stock, is_receive=True))
                await asyncio.gather(*both)
            case "delete":
                await self._cancel(seller, "deletion", f"D{number:06d}", si_number, stock, is_receive=False)
            case "change":
                reference = f"C{number:06d}"
                body = words.about(words.deliver(reference, stock=stock, quantity="2000,"), si_number)
                await self._ask(seller, reference, "si_change", words._texts["change"], body)

    async def _cancel(
        self, side: _Side, what: str, reference: str, si_number: str, stock: str, *, is_receive: bool
    ) -> None:
        words = self.words
        make = words.receive if is_receive else words.deliver
        body = words.about(make(reference, stock=stock, function=words._texts["about"]["cancel"]), si_number)
        operation = "si_revoke" if what == "revocation" else "si_delete"
        await self._ask(side, reference, operation, words._texts[what], body, is_receive=is_receive)

    async def _ask(
        self,
        side: _Side,
        reference: str,
        operation: str,
        texts: Mapping[str, str],
        body: bytes,
        *,
        is_receive: bool | None = None,
    ) -> str:
        """Send a request, wait for its outcome."""
        received = reference.startswith("R") if is_receive is None else is_receive
        message_type = texts.get("message_type") or self.words.input["receive" if received else "deliver"]
        body = body.replace(weekday_after(2).strftime("%Y%m%d").encode(), SETTLES)
        async with side.window:
            self._asked.append(Asked(side.participant, reference, operation))
            side.send(message_type, texts["template"], body)
            return await side.outcome(reference)

    # --- judging

    async def _judge(self) -> None:
        figures = self.figures
        done = Counter(
            (line["participant"], line["request_reference"], line["operation"])
            for line in (await self.place.control.order("ledger"))["done"]
        )
        figures.sis = sum(asked.operation == "si_add" for asked in self._asked)
        figures.requests = len(self._asked)
        for asked in self._asked:
            self._judge_one(asked, done[asked.participant, asked.reference, asked.operation])
        listed = await self._listed()
        figures.in_doubt, figures.undelivered = listed.in_doubt, listed.undelivered
        for one in listed.exchanges:
            figures.wrong.append(f"{one.reference} is {one.stage}: {one.why}")
        for delivery in listed.deliveries:
            figures.wrong.append(f"{delivery.delivery} about {delivery.si_number} was not delivered")
        self._count(self._journal.entries)

    def _judge_one(self, asked: Asked, times: int) -> None:
        figures, told = self.figures, self._sides[asked.participant].told.get(asked.reference, [])
        wrong = ""
        if not told:
            figures.unanswered += 1
            wrong = f"was told nothing, and done {times} times"
        elif len(set(told)) > 1:
            figures.wrong_answers += 1
            wrong = f"was told {told}"
        figures.refused += bool(told) and told[0] == "refused"
        if times > 1:
            figures.doubled += 1
            wrong = f"was done {times} times"
        elif told and told[0] == "accepted" and not times:
            figures.lost += 1
            wrong = "was told as accepted, and not done"
        elif told and told[0] == "refused" and times:
            figures.wrong_answers += 1
            wrong = "was told as refused, and done"
        if wrong:
            figures.wrong.append(f"{asked.operation} {asked.reference} of {asked.participant} {wrong}")

    async def _listed(self) -> Listing:
        door = str(self.place.backstage.control)  # type: ignore[attr-defined]
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=door)) as http:
            answer = await http.get(f"http://bridge{EXCHANGES_PATH}")
        return msgspec.json.decode(answer.raise_for_status().content, type=Listing)

    def _count(self, entries: Sequence[Entry]) -> None:
        figures = self.figures
        for entry in entries:
            if entry.kind is Kind.BATCH_CALLED:
                figures.calls += 1
            elif entry.kind is Kind.OUTCOME_UNKNOWN:
                body = entry.body()
                if body.get("is_resent"):
                    figures.calls += 1
                if body.get("asked"):
                    figures.looks += 1
                elif not body.get("is_duplicate") and not body.get("faults"):
                    figures.unknown += 1
            elif entry.kind is Kind.OCP_FAILED:
                figures.calls += 1


_CHOSEN: dict[str, Set] = {}


def _chosen(set_name: str) -> Set:
    return _CHOSEN[set_name]


def play(
    fault: str,
    orders: Sequence[Json],
    *,
    sis: int,
    seed: int = 0,
    set_name: str = "shipped",
    on_done: Callable[[int], None] = lambda _: None,
) -> Figures:
    """One day under these faults, from beginning to judgement."""
    day = FaultDay(fault, orders, sis=sis, seed=seed, set_name=set_name)
    figures: Figures = run_simulated(lambda loop: day.run(loop, on_done))
    return figures
