"""What every call must pass before it is looked at: token, limits, headers, and a request id used once.

All times here are epoch seconds: the wall's, but for request ids, which live by the pretend OCP's own clock as
everything does that a business day ends.
"""

from __future__ import annotations

import hashlib
import math
from base64 import urlsafe_b64decode
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from pg_bridge.profiles.concepts import Refusal
from pg_bridge.profiles.ocp_file import HeaderNames
from pg_bridge.simulator.keys import is_signed_by

Refused = tuple[Refusal, str]


class CallLimit:
    """At most `calls` in any `period_s` for each name; 0 calls: no limit."""

    def __init__(self, calls: int, period_s: float) -> None:
        self.calls = calls
        self._period_s = period_s
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        #: of all names together: calls let in, the most of one name in a period, and calls turned away
        self.let_in = self.most_at_once = self.turned_away = 0
        #: the calls counted since they were last taken away, for who keeps the state
        self.fresh: list[tuple[str, float]] = []

    def wait_s(self, name: str, at: float) -> int:
        """Whole seconds until `name` may call again; 0: now, else the call is turned away."""
        if not self.calls:
            return 0
        seen = self._seen[name]
        while seen and seen[0] <= at - self._period_s:
            seen.popleft()
        if len(seen) < self.calls:
            return 0
        self.turned_away += 1
        return math.ceil(seen[0] + self._period_s - at)

    def count(self, name: str, at: float) -> None:
        """One more call of `name` was let in."""
        if self.calls:
            self._seen[name].append(at)
            self.let_in += 1
            self.most_at_once = max(self.most_at_once, len(self._seen[name]))
            self.fresh.append((name, at))

    def counted(self) -> list[tuple[str, float]]:
        """Every call counted: whose, and when."""
        return [(name, at) for name, seen in self._seen.items() for at in seen]

    def restore(self, counted: Iterable[tuple[str, float]]) -> None:
        """Count these calls, oldest first, and no others."""
        self._seen.clear()
        for name, at in counted:
            self._seen[name].append(at)

    def forget(self) -> None:
        """Start again with nothing counted."""
        self._seen.clear()


class RequestIds:
    """Which request ids did work, with the answer given where that is to be given again."""

    def __init__(self, life_s: float, keep_answers: bool) -> None:
        self._life_s = life_s
        self._keep_answers = keep_answers
        self._used: dict[tuple[str, str], tuple[float, bytes]] = {}
        #: the ids used since they were last taken away, for who keeps the state
        self.fresh: list[tuple[str, str]] = []

    def answer(self, company: str, request_id: str, at: float) -> bytes | None:
        """The answer given under this id (empty when not kept), None when the id is free."""
        found = self._used.get((company, request_id))
        return found[1] if found is not None and at < found[0] + self._life_s else None

    def use(self, company: str, request_id: str, at: float, answer: bytes) -> None:
        """The id did work: remember it, and forget the oldest when its life is over."""
        oldest = next(iter(self._used), None)
        if oldest is not None and at >= self._used[oldest][0] + self._life_s:
            del self._used[oldest]
        self._used[(company, request_id)] = (at, answer if self._keep_answers else b"")
        self.fresh.append((company, request_id))

    def used(self, names: Iterable[tuple[str, str]] | None = None) -> Iterator[tuple[str, str, float, bytes]]:
        """Company, id, time and answer of these ids, or of all."""
        for name in self._used if names is None else names:
            if name in self._used:
                yield *name, *self._used[name]

    def restore(self, used: Iterable[tuple[str, str, float, bytes]]) -> None:
        """Remember these, oldest first."""
        for company, request_id, at, answer in used:
            self._used[(company, request_id)] = (at, answer)


def read_write_headers(names: HeaderNames, headers: Mapping[str, str], at: float) -> tuple[str, list[Refused]]:
    """The request id of a write in one spelling, and what is wrong with its headers but the signature."""
    refusals: list[Refused] = []
    request_id = headers.get(names.request_id, "")
    try:
        request_id = str(UUID(request_id))
    except ValueError:
        refusals.append((Refusal.REQUEST_ID_MISSING, f"{names.request_id} must be a UUID"))
    stamp = headers.get(names.timestamp, "")
    if not (stamp.isascii() and stamp.isdecimal()):
        refusals.append((Refusal.TIMESTAMP_MISSING, f"{names.timestamp} must be epoch milliseconds"))
    elif abs(int(stamp) / 1000 - at) > names.freshness_s:
        refusals.append((Refusal.TIMESTAMP_STALE, f"{names.timestamp} is more than {names.freshness_s} s off"))
    return request_id, refusals


def check_signature(
    names: HeaderNames,
    headers: Mapping[str, str],
    method: str,
    path: str,
    body: bytes,
    keys: list[object],
    algorithm: str,
) -> list[Refused]:
    """What is wrong with the signature of a write, where the profile wants one."""
    if not names.sign_writes:
        return []
    given = headers.get(names.signature, "")
    if not given:
        return [(Refusal.SIGNATURE_MISSING, f"{names.signature} is missing")]
    said = ".".join(
        (
            headers.get(names.request_id, ""),
            headers.get(names.timestamp, ""),
            method,
            path,
            hashlib.sha256(body).hexdigest(),
        )
    ).encode()
    try:
        signature = urlsafe_b64decode(given + "=" * (-len(given) % 4))
    except ValueError:
        signature = b""
    if any(is_signed_by(key, algorithm, said, signature) for key in keys):
        return []
    return [(Refusal.SIGNATURE_WRONG, f"{names.signature} does not fit the call")]
