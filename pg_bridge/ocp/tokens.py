"""Access tokens: kept, renewed before they end, one renewal at a time however many calls wait.

Follows ocp-profile section 1 (assumed, in the style of HKEX's published participant API): RFC 7523, company JWT as
assertion, machine JWT as client assertion; or the machine's JWT alone; or none is asked for, and each call carries a
JWT that we signed. No token and no assertion appears in an error, log or repr.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import httpx
import msgspec

from pg_bridge.errors import ConfigError, OcpDenied, OcpError, OcpOutcomeUnknown, OcpUnavailable
from pg_bridge.ocp.door import Renamed
from pg_bridge.ocp.keys import KeyPair
from pg_bridge.ocp.outcome import Reply
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.wire import Wire
from pg_bridge.profiles.ocp_file import TokenProfile

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HEADERS = (
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"identity"),
    (b"Content-Type", b"application/x-www-form-urlencoded"),
)
_DOING = "asking for a token"
#: after a renewal failed, the token that is still good is used this long before the next try, in seconds
PAUSE_S = 1.0
#: a refusal is tried once more when its `Date` shows that our clock was wrong by more than this, in seconds
CLOCK_ERROR_S = 5.0


@dataclass(slots=True)
class Identity:
    """Who we are at OCP: the company and this machine, each with the key that signs now; another may take its place."""

    company_id: str
    company_key: KeyPair
    machine_id: str
    machine_key: KeyPair


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. Times are epoch seconds by OCP's clock."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float


class _Granted(msgspec.Struct):
    """RFC 6749 section 5.1."""

    access_token: str
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the type's name


class _Refused(msgspec.Struct):
    """RFC 6749 section 5.2."""

    error: str = ""
    error_description: str = ""


class Tokens(Protocol):
    """Where the tokens of calls come from."""

    async def token(self) -> Token:
        """A token that is good now. Raises OcpUnavailable or OcpDenied."""
        ...

    async def renew(self, refused: Token) -> Token:
        """Another token than the one that OCP refused. Raises as `token`."""
        ...

    async def aclose(self) -> None:
        """Give up what is under way."""
        ...


class Assertions:
    """Writes the JWTs by which we are known, each used once. audience: the address of the token door.

    Raises ConfigError when a key does not sign by the profile's algorithm.
    """

    def __init__(
        self,
        profile: TokenProfile,
        identity: Identity,
        audience: str,
        clock: ServerClock,
        fresh_id: Callable[[], str],
    ) -> None:
        for key in (identity.company_key, identity.machine_key):
            if key.algorithm != profile.algorithm:
                raise ConfigError(f"the profile wants {profile.algorithm} keys")
        self._profile = profile
        self._identity = identity
        self._audience = audience
        self._clock = clock
        self._fresh_id = fresh_id

    def company(self) -> str:
        """The company's JWT."""
        return self._write(self._identity.company_id, self._identity.company_key)

    def machine(self) -> str:
        """The machine's JWT."""
        return self._write(self._identity.machine_id, self._identity.machine_key)

    def _write(self, subject: str, key: KeyPair) -> str:
        now = int(self._clock.now())
        claims = {
            "iss": subject,
            "sub": subject,
            "aud": self._audience,
            "iat": now,
            "exp": now + self._profile.assertion_life_s,
            "jti": self._fresh_id(),
        }
        return key.sign_jwt(claims, key_id(key, self._profile))


def key_id(key: KeyPair, profile: TokenProfile) -> str:
    """The id by which OCP knows a key: its own, or as the profile says."""
    return key.kid or (key.thumbprint if profile.kid == "thumbprint" else profile.kid)


def open_tokens(
    profile: TokenProfile,
    identity: Identity,
    auth_base_url: str,
    wire: Wire,
    clock: ServerClock,
    fresh_id: Callable[[], str],
) -> Tokens:
    """Tokens as the profile grants them. Raises ConfigError for a grant or algorithm that is not known."""
    if profile.grant == "self_signed":
        audience = auth_base_url.rstrip("/") + profile.path
        return SelfSigned(Assertions(profile, identity, audience, clock, fresh_id), clock, profile.assertion_life_s)
    return TokenSource(profile, identity, auth_base_url, wire, clock, fresh_id)


class SelfSigned:
    """No token is asked for: each call carries a JWT of the machine, signed for it alone."""

    def __init__(self, assertions: Assertions, clock: ServerClock, life_s: float) -> None:
        self._assertions = assertions
        self._clock = clock
        self._life_s = life_s

    async def token(self) -> Token:
        """A JWT that no other call carries. Raises OcpUnavailable when the key does not sign."""
        with Renamed("signing a token"):
            value = self._assertions.machine()
        ends_at = self._clock.now() + self._life_s
        return Token(value, ends_at, ends_at)

    async def renew(self, refused: Token) -> Token:
        """Another one, dated by what OCP's clock is known to be by now."""
        return await self.token()

    async def aclose(self) -> None:
        """Nothing is under way."""


class TokenSource:
    """The one place that asks for tokens. Raises ConfigError for a grant or algorithm it does not know."""

    def __init__(
        self,
        profile: TokenProfile,
        identity: Identity,
        auth_base_url: str,
        wire: Wire,
        clock: ServerClock,
        fresh_id: Callable[[], str],
    ) -> None:
        form = _GRANTS.get(profile.grant)
        if form is None:
            raise ConfigError(f"the grant {profile.grant!r} is not supported")
        address = auth_base_url.rstrip("/") + profile.path
        self._assertions = Assertions(profile, identity, address, clock, fresh_id)
        self._profile = profile
        self._url = httpx.URL(address)
        self._wire = wire
        self._clock = clock
        self._form = form
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._renew_not_before = 0.0

    async def token(self) -> Token:
        """A token that is good now. Raises OcpUnavailable or OcpDenied."""
        token = self._token
        now = self._clock.now()
        if token is not None and now < token.ends_at:
            if now >= token.renew_at and self._renewal is None and now >= self._renew_not_before:
                self._start()
            return token
        return await self._renewed()

    async def renew(self, refused: Token) -> Token:
        """Another token than the one that OCP refused; asked for only if no other call did so already."""
        if self._token is refused:
            self._token = None
        if self._token is not None:
            return self._token
        return await self._renewed()

    async def aclose(self) -> None:
        """Give up a renewal under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def _renewed(self) -> Token:
        # Shielded: a caller that gives up must not take the renewal from the others.
        return await asyncio.shield(self._renewal or self._start())

    def _start(self) -> asyncio.Task[Token]:
        task = asyncio.get_running_loop().create_task(self._ask())
        task.add_done_callback(self._ended)
        self._renewal = task
        return task

    def _ended(self, task: asyncio.Task[Token]) -> None:
        self._renewal = None
        if task.cancelled():
            return
        if task.exception() is None:
            self._token = task.result()
        else:
            self._renew_not_before = self._clock.now() + PAUSE_S

    async def _ask(self) -> Token:
        skew_s = self._clock.skew_s
        try:
            return await self._ask_once()
        except OcpDenied:
            if abs(self._clock.skew_s - skew_s) <= CLOCK_ERROR_S:
                raise
        return await self._ask_once()

    async def _ask_once(self) -> Token:
        with Renamed(_DOING):
            body = urlencode(self._form(self._assertions)).encode("ascii")
        try:
            reply = await self._wire.send("POST", self._url, _HEADERS, body, _DOING)
        except OcpOutcomeUnknown as error:
            # Whatever became of the token, the call that needs it was not made.
            raise OcpUnavailable(str(error)) from error
        if reply.status == 200:
            return self._granted(reply)
        raise _refusal(reply)

    def _granted(self, reply: Reply) -> Token:
        try:
            granted = msgspec.json.decode(reply.body, type=_Granted)
            value = granted.access_token.encode("ascii").decode("ascii")
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise OcpUnavailable(f"{_DOING}: the answer is no token") from None  # it may quote one
        if not value.isprintable() or not value or granted.token_type.lower() != "bearer":
            raise OcpUnavailable(f"{_DOING}: the answer is no bearer token")
        now = self._clock.now()
        life_s = max(0.0, granted.expires_in)
        # A short life is used to its half at least, or every call would ask anew.
        return Token(value, now + max(life_s - self._profile.refresh_before_s, life_s / 2), now + life_s)


def _company_and_machine(assertions: Assertions) -> dict[str, str]:
    """RFC 7523 section 2.1 with section 2.2."""
    return {
        "grant_type": _JWT_BEARER,
        "assertion": assertions.company(),
        "client_assertion_type": _CLIENT_ASSERTION,
        "client_assertion": assertions.machine(),
    }


def _machine_alone(assertions: Assertions) -> dict[str, str]:
    """RFC 6749 section 4.4 with RFC 7523 section 2.2."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": _CLIENT_ASSERTION,
        "client_assertion": assertions.machine(),
    }


#: grant of the profile -> the form that asks by it
_GRANTS: dict[str, Callable[[Assertions], dict[str, str]]] = {
    "jwt_bearer": _company_and_machine,
    "client_credentials": _machine_alone,
}

#: their text may quote a JWT back: dotted base64url, or any part of it
_SECRET = re.compile(r"[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_=.-]*|[A-Za-z0-9_=-]{40,}")


def _refusal(reply: Reply) -> OcpError:
    """What a token answer other than 200 means for the call that waits: surely nothing was done."""
    if reply.status not in (400, 401, 403):
        return OcpUnavailable(f"{_DOING}: {reply.status}", retry_after_s=reply.retry_after_s)
    try:
        refused = msgspec.json.decode(reply.body, type=_Refused)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        refused = _Refused()
    code = _SECRET.sub("***", refused.error)[:64]
    said = _SECRET.sub("***", refused.error_description)[:200]
    return OcpDenied(f"{_DOING}: refused ({reply.status}) {code} {said}".rstrip(), ocp_code=code)
