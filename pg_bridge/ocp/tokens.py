"""Access tokens: the exchange of company and machine JWTs (RFC 7523), one refresh at a time.

Follows ocp-profile section 1 (assumed; the grant is public elsewhere in HKEX's APIs). Times are the server's: the
skew is measured from the Date header of its answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from pg_bridge.errors import OcpDenied, OcpOutcomeUnknown, OcpUnavailable
from pg_bridge.ocp.keys import KeyPair
from pg_bridge.ocp.outcome import door
from pg_bridge.profiles.ocp import TokenProfile

_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are at OCP."""

    company_id: str
    machine_id: str
    company_key: KeyPair
    machine_key: KeyPair


class TokenSource:
    """Gives a token that is good for a while yet."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        profile: TokenProfile,
        identity: Identity,
        *,
        clock: Callable[[], datetime],
        jti: Callable[[], str],
    ) -> None:
        self._http = http
        self._url = url
        self._profile = profile
        self._identity = identity
        self._clock = clock
        self._jti = jti
        self._token = ""
        self._until = datetime.min.replace(tzinfo=UTC)
        self._skew = timedelta()
        self._refresh: asyncio.Task[str] | None = None

    async def token(self, *, not_this: str = "") -> str:
        """A token; never `not_this`, which OCP did not take. Raises OcpDenied, OcpUnavailable."""
        if self._token and self._token != not_this and self._clock() < self._until:
            return self._token
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.get_running_loop().create_task(self._ask())
        # Shielded: one waiting call that is given up must not end the refresh for the others.
        return await asyncio.shield(self._refresh)

    async def _ask(self) -> str:
        form = {
            "grant_type": _BEARER_GRANT,
            "assertion": self._assertion(self._identity.company_id, self._identity.company_key),
            "client_assertion_type": _CLIENT_ASSERTION,
            "client_assertion": self._assertion(self._identity.machine_id, self._identity.machine_key),
        }
        if self._profile.grant == "client_credentials":
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": _CLIENT_ASSERTION,
                "client_assertion": form["client_assertion"],
            }
        try:
            with door("asking for a token"):
                response = await self._http.post(self._url, data=form)
        except OcpOutcomeUnknown as error:
            # A token that was given and lost costs nothing: surely no instruction was touched.
            raise OcpUnavailable(str(error)) from error
        self._measure(response)
        answer = _json(response)
        if response.status_code == 200 and isinstance(answer.get("access_token"), str):
            life_s = float(answer.get("expires_in") or 60)
            early_s = min(self._profile.refresh_before_s, life_s / 2)
            self._token = answer["access_token"]
            self._until = self._clock() + timedelta(seconds=life_s - early_s)
            return self._token
        if response.status_code in (400, 401, 403):
            text = answer.get("error_description") or answer.get("error") or f"HTTP {response.status_code}"
            raise OcpDenied(f"asking for a token: {text}")
        raise OcpUnavailable(f"asking for a token: HTTP {response.status_code}")

    def _assertion(self, subject: str, key: KeyPair) -> str:
        now = self._clock() + self._skew
        issued = int(now.timestamp())
        claims = {
            "iss": subject,
            "sub": subject,
            "aud": self._url,
            "iat": issued,
            "exp": issued + self._profile.assertion_life_s,
            "jti": self._jti(),
        }
        kid = "" if self._profile.kid == "thumbprint" else self._profile.kid
        return key.sign(claims, algorithm=self._profile.algorithm, kid=kid)

    def _measure(self, response: httpx.Response) -> None:
        date = response.headers.get("date")
        if date:
            try:
                theirs = parsedate_to_datetime(date)
            except (TypeError, ValueError):
                return
            skew = theirs - self._clock()
            # A Date header has whole seconds: a smaller difference says nothing.
            self._skew = skew if abs(skew) > timedelta(seconds=2) else timedelta()


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
