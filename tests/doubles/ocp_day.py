"""A whole settlement day at the pretend OCP: both sides of every trade entered in bulk, matched and settled by the
runs of its clock, some held, changed, deleted or revoked, and every event pushed to every participant.

How each pair of SIs must end follows from its number alone; the verdict compares that with what the pretend OCP shows
and, apart from it, with what was pushed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.doubles.day_receivers import DayReceivers
from tests.doubles.ocp_caller import CLIENT_ASSERTION, JWT_BEARER, TOKEN_PATH, si_entry

DAY, LATER = "2026-11-23", "2026-11-25"
START = f"{DAY}T09:30:00+08:00"
WRITES = "/api/si/instructions"
BULK = 1000
#: the instructions come in so many waves; each is touched once the next run has matched it
WAVES = 3
MATCHING = [f"{hour}:{minute}" for hour in range(10, 16) for minute in ("00", "30")]
#: what was changed after the last of these is matched by the day's last run
LAST_MATCHING = "15:45"
DAY_END = "20:01"
OPTIONS = {
    "start": START,
    "match_at_once": False,
    "matching_runs": [*MATCHING, LAST_MATCHING],
    "payment_runs": ["16:30"],
    "token_life_s": 3600,
    "company_calls": 0,
}
#: a pair's number modulo 40 -> how both sides end; any other: settled
KINDS = 40
T_PLUS_2, CHANGED, RELEASED, HELD, REVOKED, DELETED, RDP, FOP = range(8)
ENDS = {
    T_PLUS_2: ("MATCHED", "MATCHED"),
    HELD: ("MATCHED_ON_HOLD", "MATCHED_ON_HOLD"),
    REVOKED: ("REVOKED", "REVOKED"),
    DELETED: ("DELETED", "UNMATCHED"),
}


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _jwks() -> dict:
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_key().public_key()))
    return {"keys": [{**{member: public[member] for member in ("kty", "crv", "x", "y")}, "kid": "day"}]}


def participants_of(count: int) -> list[str]:
    """So many ids."""
    return [f"{'BC'[number % 2]}{number:05d}" for number in range(1, count + 1)]


def registrations(participants: list[str]) -> dict:
    """A company and a machine for each participant."""
    return {
        "companies": {f"CP{one}": {"jwks": _jwks(), "participants": [one]} for one in participants},
        "machines": {f"MA{one}": {"jwks": _jwks(), "company": f"CP{one}"} for one in participants},
    }


@dataclass(frozen=True)
class Side:
    """One side of a pair, as it is entered."""

    pair: int
    delivers: bool
    entry: dict

    @property
    def kind(self) -> int:
        """What becomes of it."""
        return self.pair % KINDS


def sides_of(participants: list[str], pairs: range) -> Iterator[Side]:
    """Both sides of these pairs."""
    count = len(participants)
    for pair in pairs:
        kind = pair % KINDS
        one = pair % count
        mine, theirs = participants[one], participants[(one + 1 + pair // count % (count - 1)) % count]
        shared = {
            "quantity": 100 + pair,
            "amount": f"{1000 + pair}.50",
            "settlementDate": LATER if kind in (T_PLUS_2, HELD, REVOKED) else DAY,
            "paymentInstruction": {RDP: "RDP", FOP: "FOP"}.get(kind, "DVP"),
        }
        if kind == FOP:
            shared |= {"amount": None, "currency": None}
        held = {"hold": True} if kind in (RELEASED, HELD) else {}
        reference = f"D{pair:09d}"
        yield Side(pair, True, si_entry(reference, participantId=mine, counterpartyId=theirs, **shared, **held))
        other: dict = {}
        if kind == CHANGED:
            other = {"amount": f"{1000 + pair}.51"}
        elif kind == DELETED:
            other = {"amount": "7.00", "stockCode": "00001", "isin": None, "settlementDate": LATER}
        given = {**shared, "participantId": theirs, "counterpartyId": mine, "direction": "RECEIVE", **other}
        yield Side(pair, False, si_entry(f"R{pair:09d}", **given))


def ends(pairs: int) -> dict[str, int]:
    """How many SIs must end where."""
    return dict(Counter(end for pair in range(pairs) for end in ENDS.get(pair % KINDS, ("SETTLED", "SETTLED"))))


@dataclass
class Verdict:
    """What the day came to. pushed: of the events that were told, those that reached their participant."""

    sis: int
    done: int
    expected: dict[str, int]
    at_ocp: dict[str, int]
    by_pushes: dict[str, int]
    ledger: int
    told: int
    pushed: int
    gaps: int
    repeated: int
    wrong: int
    deliveries: int
    entry_s: float = 0.0
    took_s: float = 0.0
    refused: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Everything that is not as it must be."""
        checks = {
            "OCP shows other statuses than the day must end in": self.expected == self.at_ocp,
            "the pushes tell of other statuses": self.expected == self.by_pushes,
            "the ledger has another number than was done": self.done == self.ledger,
            "events were not pushed": self.told == self.pushed,
            "sequences have gaps": self.gaps == 0,
            "deliveries were badly signed or went astray": self.wrong == 0,
            "entries were refused": not self.refused,
        }
        return [text for text, holds in checks.items() if not holds]


class Day:
    """The day of `sis` instructions. `by_clock`: the clock runs by itself; else it stands and is moved."""

    def __init__(self, url: str, http: httpx.AsyncClient, participants: list[str], sis: int, *, by_clock: bool) -> None:
        self._url = url
        self._http = http
        self._participants = participants
        self._pairs = sis // 2
        self._by_clock = by_clock
        self._tokens: dict[str, str] = {}
        self._numbers: dict[tuple[int, bool], str] = {}
        self._done = 0
        self._refused: list[str] = []

    async def play(self, subscribe_at: str, receivers: DayReceivers, wait_s: float = 10.0) -> Verdict:
        """Play it all. subscribe_at: the URL of the receivers."""
        began = time.perf_counter()
        await asyncio.gather(*(self._log_in(one) for one in self._participants))
        receivers.trust((await self._get(self._participants[0], "/api/crypto/meta"))["data"][0])
        for one in self._participants:
            await self._call(one, "/api/si/subscriptions/add/v1", {"url": f"{subscribe_at}/{one}"})
        entry_s = 0.0
        bounds = [self._pairs * number // WAVES for number in range(WAVES + 1)]
        for first, last in itertools.pairwise(bounds):
            sides = list(sides_of(self._participants, range(first, last)))
            entered = time.perf_counter()
            await self._enter(sides)
            entry_s += time.perf_counter() - entered
            await self._until(await self._next_matching())
            await self._touch(sides)
        await self._until(DAY_END)
        state = await self._control("state")
        told = 0
        for one in self._participants:
            found = await self._get(one, "/api/si/status-events/v1", participantId=one, businessDate=DAY, size=1)
            told += found["totalSize"]
        pushed = await receivers.until(told, wait_s)
        return Verdict(
            sis=self._pairs * 2,
            done=self._done,
            expected=ends(self._pairs),
            at_ocp={name.upper(): count for name, count in state["statuses"].items()},
            by_pushes=receivers.statuses(),
            ledger=state["ledger"],
            told=told,
            pushed=pushed,
            gaps=receivers.gaps(),
            repeated=receivers.repeated,
            wrong=receivers.wrong,
            deliveries=receivers.deliveries,
            entry_s=entry_s,
            took_s=time.perf_counter() - began,
            refused=self._refused[:10],
        )

    async def _log_in(self, participant: str) -> None:
        reply = await self._http.post(TOKEN_PATH, data=self._form(participant))
        assert reply.status_code == 200, reply.text
        self._tokens[participant] = reply.json()["access_token"]

    def _form(self, participant: str) -> dict[str, str]:
        now = int(datetime.now(UTC).timestamp())

        def assertion(subject: str) -> str:
            claims = {"iss": subject, "sub": subject, "aud": f"{self._url}{TOKEN_PATH}", "iat": now, "exp": now + 300}
            return jwt.encode({**claims, "jti": str(uuid.uuid4())}, _key(), algorithm="ES256", headers={"kid": "day"})

        return {
            "grant_type": JWT_BEARER,
            "assertion": assertion(f"CP{participant}"),
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": assertion(f"MA{participant}"),
        }

    def _headers(self, participant: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._tokens[participant]}",
            "X-OCP-REQUEST-ID": str(uuid.uuid4()),
            "X-OCP-TIMESTAMP": str(int(time.time() * 1000)),
        }

    async def _call(self, participant: str, path: str, document: dict) -> dict:
        reply = await self._http.post(path, json=document, headers=self._headers(participant))
        found = reply.json()
        assert (reply.status_code, found["code"]) == (200, "0"), reply.text[:500]
        return found

    async def _get(self, participant: str, path: str, **parameters: object) -> dict:
        reply = await self._http.get(path, params=parameters, headers=self._headers(participant))
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def _control(self, path: str, document: dict | None = None) -> dict:
        path = f"/_simulator/{path}"
        reply = await (self._http.get(path) if document is None else self._http.post(path, json=document))
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def _until(self, at: str) -> None:
        """Return when it is so late at the pretend OCP."""
        moment = datetime.fromisoformat(f"{DAY}T{at}:00+08:00")
        if not self._by_clock:
            await self._control("clock", {"jump": moment.isoformat()})
            return
        while True:
            clock = await self._control("clock")
            left = (moment - datetime.fromisoformat(clock["now"])).total_seconds()
            if left <= 0:
                return
            await asyncio.sleep(min(1.0, max(0.01, left / clock["rate"])))

    async def _next_matching(self) -> str:
        now = datetime.fromisoformat((await self._control("clock"))["now"]).time().isoformat()
        at = next((run for run in MATCHING if now < run), None)
        assert at is not None, f"it is {now} and not all is entered: the clock goes too fast for this machine"
        return at

    async def _enter(self, sides: list[Side]) -> None:
        await self._bulk("add", sides, lambda side: side.entry, self._remember)

    def _remember(self, side: Side, answer: dict) -> None:
        self._numbers[(side.pair, side.delivers)] = answer["siNumber"]

    async def _touch(self, sides: list[Side]) -> None:
        """What participants do with the pairs of a wave once they have matched, or have not."""

        def of(*kinds: int, delivers: bool | None = None) -> list[Side]:
            return [side for side in sides if side.kind in kinds and delivers in (None, side.delivers)]

        def named(side: Side, **more: object) -> dict:
            number = self._numbers[(side.pair, side.delivers)]
            return {
                "requestReference": f"X{side.entry['requestReference']}",
                "participantId": side.entry["participantId"],
                "siNumber": number,
                **more,
            }

        def agreeing(side: Side) -> dict:
            return {**side.entry, **named(side), "amount": f"{1000 + side.pair}.50"}

        await asyncio.gather(
            self._bulk("change", of(CHANGED, delivers=False), agreeing),
            self._bulk("hold", of(RELEASED, delivers=True), lambda side: named(side, hold=False)),
            self._bulk("delete", of(DELETED, delivers=True), named),
            self._bulk("revoke", of(REVOKED), named),
        )

    async def _bulk(
        self,
        what: str,
        sides: list[Side],
        entry_of: Callable[[Side], dict],
        take: Callable[[Side, dict], None] = lambda *_: None,
    ) -> None:
        """One operation on many SIs: each participant's in calls of at most 1,000, one after the other."""
        by_participant: defaultdict[str, list[Side]] = defaultdict(list)
        for side in sides:
            by_participant[side.entry["participantId"]].append(side)

        async def all_of(participant: str, own: list[Side]) -> None:
            left = iter(own)
            while batch := list(itertools.islice(left, BULK)):
                document = {"data": [entry_of(side) for side in batch]}
                answers = (await self._call(participant, f"{WRITES}/{what}/v1", document))["data"]
                for side, answer in zip(batch, answers, strict=True):
                    if answer["siNumber"] is None:
                        self._refused.append(f"{what} {side.entry['requestReference']}: {answer['exception']}")
                        continue
                    self._done += 1
                    take(side, answer)

        tasks: list[Awaitable[None]] = [all_of(participant, own) for participant, own in by_participant.items()]
        await asyncio.gather(*tasks)
