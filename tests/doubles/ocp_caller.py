"""A participant's own, simple way to the pretend OCP: keys, assertions, calls. Shares no code with the bridge."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile

MAPPINGS = Path(__file__).parents[2] / "mappings"
COMPANY, MACHINE, OTHER_COMPANY, OTHER_MACHINE = "CP00001", "MACHINE1", "CP00002", "MACHINE2"
TOKEN_PATH = "/openam/oauth2/eu/access_token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def shipped_profile() -> OcpProfile:
    """The profile in mappings/."""
    files = {str(path.relative_to(MAPPINGS)): path.read_text() for path in MAPPINGS.glob("ocp/*")}
    return read_ocp_profile(files)


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key a name, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(name: str) -> dict:
    """The public half of a key as a JWK set without a kid, so that its thumbprint is its id."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {"keys": [{member: public[member] for member in ("kty", "n", "e")}]}


def kid(name: str) -> str:
    """RFC 7638, written down by hand."""
    key = jwks(name)["keys"][0]
    covered = f'{{"e":"{key["e"]}","kty":"RSA","n":"{key["n"]}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(covered.encode()).digest()).rstrip(b"=").decode()


def registrations() -> dict:
    """Two companies with a machine and a participant each."""
    return {
        "companies": {
            COMPANY: {"jwks": jwks(COMPANY), "participants": ["B01234"]},
            OTHER_COMPANY: {"jwks": jwks(OTHER_COMPANY), "participants": ["C00019"]},
        },
        "machines": {
            MACHINE: {"jwks": jwks(MACHINE), "company": COMPANY},
            OTHER_MACHINE: {"jwks": jwks(OTHER_MACHINE), "company": OTHER_COMPANY},
        },
    }


class Wall:
    """A clock of the wall that stands until it is set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class OcpCaller:
    """Calls as one company and machine."""

    ids = itertools.count(1)

    def __init__(self, http: httpx.AsyncClient, wall: Wall, company: str = COMPANY, machine: str = MACHINE) -> None:
        self.http = http
        self.wall = wall
        self.company = company
        self.machine = machine
        self.token = ""

    def assertion(
        self, subject: str, *, signed_by: str = "", algorithm: str = "RS256", drop: str = "", **claims
    ) -> str:
        """A good assertion but for what is overridden; `drop` leaves a claim out."""
        now = int(self.wall.at.timestamp())
        every = {
            "iss": subject,
            "sub": subject,
            "aud": f"{self.http.base_url}".rstrip("/") + TOKEN_PATH,
            "iat": now,
            "exp": now + 300,
            "jti": f"jti-{next(self.ids)}",
            **claims,
        }
        every.pop(drop, None)
        key = rsa_key(signed_by or subject) if algorithm != "HS256" else "a secret of thirty-two characters!"
        return jwt.encode(every, key, algorithm=algorithm, headers={"kid": kid(subject)})

    def form(self, **changes: str | None) -> dict[str, str]:
        """A good token request but for what is overridden; None leaves it out."""
        form = {
            "grant_type": JWT_BEARER,
            "assertion": self.assertion(self.company),
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": self.assertion(self.machine),
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    async def log_in(self) -> None:
        reply = await self.http.post(TOKEN_PATH, data=self.form())
        assert reply.status_code == 200, reply.text
        self.token = reply.json()["access_token"]

    def headers(self, request_id: str | None = None, **changes: str | None) -> dict[str, str]:
        every = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "X-OCP-REQUEST-ID": request_id or str(uuid.uuid4()),
            "X-OCP-TIMESTAMP": str(int(self.wall.at.timestamp() * 1000)),
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return {name: value for name, value in every.items() if value is not None}

    async def post(self, path: str, document: object, request_id: str | None = None) -> httpx.Response:
        return await self.http.post(path, json=document, headers=self.headers(request_id))

    async def add(self, *entries: dict, request_id: str | None = None) -> httpx.Response:
        return await self.post("/api/si/instructions/add/v1", {"data": list(entries)}, request_id)

    async def query(self, **filters: object) -> dict:
        reply = await self.post("/api/si/instructions/query/v1", filters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def events(self, participant: str, day: str = "2026-11-23", **parameters: object) -> dict:
        reply = await self.http.get(
            "/api/si/status-events/v1",
            params={"participantId": participant, "businessDate": day, **parameters},
            headers=self.headers(),
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def control(self, path: str, document: dict | None = None, status: int = 200) -> dict:
        path = f"/_simulator/{path}"
        reply = await (self.http.get(path) if document is None else self.http.post(path, json=document))
        assert reply.status_code == status, reply.text
        return reply.json()


def si_entry(reference: str, **changes: object) -> dict:
    """B01234 delivers 1,000 of 00005 to C00019 for HKD 12,345.67."""
    return {
        "requestReference": reference,
        "participantReference": reference,
        "participantId": "B01234",
        "counterpartyId": "C00019",
        "market": "HKMK",
        "direction": "DELIVER",
        "paymentInstruction": "DVP",
        "stockCode": "00005",
        "isin": "HK0005000002",
        "quantity": 1000,
        "currency": "HKD",
        "amount": "12345.67",
        "tradeDate": "2026-11-23",
        "settlementDate": "2026-11-25",
        "stockAccount": "00000001",
        "counterpartyAccount": "CLIENT0001",
        "purpose": "TRADE",
        "hold": False,
        "linkageReference": None,
        "remarks": None,
        **changes,
    }


def other_side(reference: str, **changes: object) -> dict:
    """C00019's instruction that agrees with `si_entry`."""
    sides = {"participantId": "C00019", "counterpartyId": "B01234", "direction": "RECEIVE"}
    return si_entry(reference, **{**sides, **changes})
