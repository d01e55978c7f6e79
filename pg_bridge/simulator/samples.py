"""Sample requests and answers of every operation, taken from a pretend OCP that runs while they are made.

A `Bench` is that pretend OCP, in process, with companies to call as; it keeps each exchange that it is told to. Which
exchanges there are: sample_stories.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import httpx
import jwt
import msgspec
from fastapi import FastAPI

from pg_bridge.errors import BridgeError
from pg_bridge.profiles.concepts import Direction, Operation, Payment
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.openapi import Document, resolved
from pg_bridge.simulator.gate_signing import sign_call
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.pretend import PretendOcp
from pg_bridge.simulator.seeded_keys import seeded_key_pem
from pg_bridge.simulator.tokens import CLIENT_ASSERTION, JWT_BEARER

BASE = "http://ocp.example"
#: the moment of all samples, Hong Kong time, a Monday
NOW = "2026-11-23T09:30:00+08:00"
TRADE_DAY, SETTLEMENT_DAY = "2026-11-23", "2026-11-25"
SELLER, BUYER, STRANGER = "B01234", "C00019", "Z99999"
ACCOUNT = "00000001"
STOCK, ISIN = "00005", "HK0005000002"
#: what stands in a sample where a secret or something good for minutes only would
HIDDEN = {
    "assertion": "<company assertion>",
    "client_assertion": "<machine assertion>",
    "access_token": "<access token>",
}
#: of all keys in samples: they sign nothing else
SEED = "samples"
_LIFE_S = 86_400


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange. operation: a concept, `token` or `delivery`; request and answer as a file holds them.

    status: of the answer (0: what was pushed has none here); schema: of the answer's body, empty for no JSON.
    """

    operation: str
    outcome: str
    meaning: str
    request: Document
    answer: Document | None
    status: int


class Caller:
    """A company and its machine, with a key and a token."""

    def __init__(self, company: str, algorithm: str, functions: list[str] | None = None) -> None:
        self.company = company
        self.machine = f"{company}-M1"
        self.functions = functions
        key = SigningKey(seeded_key_pem(SEED, algorithm), algorithm)
        self.keys = dict.fromkeys((self.company, self.machine), key)
        self.token = ""


class Bench:
    """A pretend OCP, callers of it, and the samples kept so far."""

    def __init__(self, profile: OcpProfile, app: FastAPI, http: httpx.AsyncClient, callers: list[Caller]) -> None:
        self.profile = profile
        self.app = app
        self.ocp: PretendOcp = app.state.ocp
        self.samples: list[Sample] = []
        self.seller, self.buyer, self.restricted = callers
        self._http = http
        self._ids = 0

    # --- documents

    def entry(self, operation: Operation, values: Mapping[str, Any]) -> Document:
        """An entry of a write from concepts; what the operation's schema does not know is left out."""
        schema = self.profile.operations[operation].entry
        document = self.profile.write("si", {name: self._coded(name, value) for name, value in values.items()})
        for fault in self.profile.schema_faults(schema, document):
            if fault.keyword == "additionalProperties":
                _drop(document, fault.path.split("."))
        return document

    def _coded(self, concept: str, value: Any) -> Any:
        if isinstance(value, Direction):
            return self.profile.code("direction", value)
        if isinstance(value, Payment):
            return self.profile.code("payment_instruction", value)
        return value

    def first_code(self, concept: str) -> Any:
        """The first code that the schema of an input allows for a concept, None where it names none."""
        document = self.profile.openapi
        node: Any = self.profile.schema(self.profile.operations[Operation.SI_ADD].entry)
        for member in self.profile.place("si", concept).members:
            node = resolved(document, node).get("properties", {}).get(member, {})
        return next((code for code in resolved(document, node).get("enum", []) if code is not None), None)

    def body(self, operation: Operation, entries: Sequence[Any]) -> Document:
        """The body of a write."""
        if self.profile.operations[operation].bulk:
            return self.profile.write("request", {"entries": list(entries)})
        found: Document = entries[0]
        return found

    def query(self, group: str, values: Mapping[str, Any]) -> Document:
        """The document of an enquiry, or the parameters of one by GET."""
        return self.profile.write(group, values)

    # --- calls

    def fresh_id(self) -> str:
        """A request id, the same in each making."""
        self._ids += 1
        return str(UUID(int=self._ids, version=4))

    async def log_in(self, caller: Caller) -> None:
        """Get a token."""
        answer = await self._http.post(self.profile.token.path, data=self.form(caller))
        if answer.is_error:
            raise BridgeError(f"making samples: no token: {answer.text}")
        caller.token = answer.json()["access_token"]

    def form(self, caller: Caller, **claims: Any) -> dict[str, str]:
        """A token request; `claims` lie over those of the company's assertion."""
        both = self.profile.token.grant == "jwt_bearer"
        form = {
            "grant_type": JWT_BEARER if both else self.profile.token.grant,
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": self._assertion(caller, caller.machine, {} if both else claims),
        }
        return form | ({"assertion": self._assertion(caller, caller.company, claims)} if both else {})

    def _assertion(self, caller: Caller, subject: str, claims: Mapping[str, Any]) -> str:
        now = int(self.ocp.wall().timestamp())
        self._ids += 1
        every = {
            "iss": subject,
            "sub": subject,
            "aud": BASE + self.profile.token.path,
            "iat": now,
            "exp": now + 300,
            "jti": f"jti-{self._ids}",
        }
        key = caller.keys[subject]
        return jwt.encode(every | dict(claims), key.private, algorithm=key.algorithm, headers={"kid": key.kid})

    async def ask_token(self, outcome: str, meaning: str, form: Mapping[str, str]) -> None:
        """Ask for a token and keep the exchange, without what is secret."""
        answer = await self._http.post(self.profile.token.path, data=dict(form))
        request = {
            "method": "POST",
            "path": self.profile.token.path,
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            "form": _hidden(form),
        }
        self._keep("token", outcome, meaning, request, answer)

    async def call(
        self,
        operation: Operation,
        document: Any = None,
        outcome: str = "",
        meaning: str = "",
        *,
        caller: Caller | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        request_id: str = "",
    ) -> Any:
        """Call an operation; keep the exchange when it has an outcome to be kept under. Gives the answer's JSON.

        raw: a body that is no JSON; headers: over the usual ones, None leaves one out; request_id: else a new one.
        """
        spec = self.profile.operations[operation]
        by = caller or self.seller
        parameters: dict[str, Any] = {}
        content = b"" if document is None else msgspec.json.encode(document)
        if spec.method == "GET":
            parameters, content = _parameters(document), b""
        content = content if raw is None else raw
        every = self._headers(by, spec.method, spec.path, content, request_id, writes=spec.writes) | dict(headers or {})
        sent = {name: value for name, value in every.items() if value is not None}
        answer = await self._http.request(spec.method, spec.path, params=parameters, content=content, headers=sent)
        if outcome:
            shown = sent | ({"Authorization": "Bearer <access token>"} if "Authorization" in sent else {})
            request: Document = {"method": spec.method, "path": spec.path, "headers": shown}
            if parameters:
                request["parameters"] = dict(parse_qsl(urlencode(parameters)))
            if content:
                request["body"] = document if raw is None else raw.decode("utf-8", "replace")
            self._keep(operation.value, outcome, meaning, request, answer)
        return answer.json() if "json" in answer.headers.get("content-type", "") else None

    def _headers(
        self, by: Caller, method: str, path: str, body: bytes, request_id: str, *, writes: bool
    ) -> dict[str, str | None]:
        names = self.profile.headers
        every: dict[str, str | None] = {"Authorization": f"Bearer {by.token}", "Accept": "application/json"}
        if body:
            every["Content-Type"] = "application/json"
        if writes:
            request_id, stamp = request_id or self.fresh_id(), str(int(self.ocp.wall().timestamp() * 1000))
            every |= {names.request_id: request_id, names.timestamp: stamp}
            if names.sign_writes:
                every[names.signature] = sign_call(by.keys[by.machine], request_id, stamp, method, path, body)
        return every

    def _keep(self, operation: str, outcome: str, meaning: str, request: Document, answer: httpx.Response) -> None:
        kind = answer.headers.get("content-type", "")
        body = _hidden(answer.json()) if "json" in kind else answer.text
        wanted = ("content-type", "retry-after", "www-authenticate", "cache-control")
        headers = {name.title(): answer.headers[name] for name in wanted if name in answer.headers}
        told = {"status": answer.status_code, "headers": headers, "body": body}
        self.samples.append(Sample(operation, outcome, meaning, request, told, answer.status_code))

    def keep_delivery(self, outcome: str, meaning: str, event: Any) -> None:
        """Keep a push of one event, signed as the pretend OCP signs it."""
        body = msgspec.json.encode(self.profile.write("delivery", {"events": [event]}))
        stamp = str(int(self.ocp.wall().timestamp() * 1000))
        delivery_id = self.fresh_id()
        signature = self.ocp.key.sign_detached(f"{delivery_id}.{stamp}.".encode() + body)
        values = (delivery_id, stamp, signature)
        headers = {"Content-Type": "application/json"} | dict(
            zip(self.profile.headers.of_delivery, values, strict=True)
        )
        request = {
            "method": "POST",
            "path": "<the URL subscribed>",
            "headers": headers,
            "body": msgspec.json.decode(body),
        }
        self.samples.append(
            Sample("delivery", outcome, meaning, request, {"status": 204, "headers": {}, "body": None}, 0)
        )


@asynccontextmanager
async def bench(profile: OcpProfile) -> AsyncIterator[Bench]:
    """A bench at `NOW`: a seller's and a buyer's company, and one to which nothing is granted."""
    algorithm = profile.token.algorithm
    callers = [Caller("CP00001", algorithm), Caller("CP00002", algorithm), Caller("CP00003", algorithm, [])]
    participants = {"CP00001": [SELLER], "CP00002": [BUYER], "CP00003": []}
    options = {
        "start": NOW,
        "clock": "stands",
        "signing_key": seeded_key_pem(SEED, algorithm),
        "accounts": {SELLER: [ACCOUNT]},
        "transaction_limits": {SELLER: "1000000"},
        "token_life_s": _LIFE_S,
        "company_calls": 0,
        "machine_calls": 0,
        "participants": [SELLER, BUYER],
        "stocks": {
            STOCK: {"isin": ISIN},
            "09999": {"eligible": False},
            "80005": {"domain": False},
        },
        "registrations": {
            "companies": {
                one.company: {
                    "jwks": {"keys": [one.keys[one.company].jwk]},
                    "participants": participants[one.company],
                    "functions": one.functions,
                }
                for one in callers
            },
            "machines": {
                one.machine: {"jwks": {"keys": [one.keys[one.machine].jwk]}, "company": one.company} for one in callers
            },
        },
    }
    moment = datetime.fromisoformat(NOW).astimezone(UTC)
    app = create_app(profile, read_options(options), lambda: moment)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
            made = Bench(profile, app, http, callers)
            for caller in callers:
                await made.log_in(caller)
            yield made
    finally:
        await app.state.ocp.aclose()


def _parameters(document: Any) -> dict[str, Any]:
    """A document's members as query parameters."""
    found = document or {}
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in found.items()
        if value is not None
    }


def _hidden(document: Any) -> Any:
    """A document without what is secret or good for minutes only."""
    if not isinstance(document, Mapping):
        return document
    return {name: HIDDEN.get(name, value) for name, value in document.items()}


def _drop(document: Document, members: list[str]) -> None:
    for member in members[:-1]:
        document = document.get(member, {})
    document.pop(members[-1], None)
