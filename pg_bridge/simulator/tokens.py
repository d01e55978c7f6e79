"""The token endpoint of the pretend OCP: the exchange of company and machine JWTs, with its refusals."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt

from pg_bridge.profiles.ocp import TokenProfile

_ALGORITHMS = ["RS256", "PS256", "ES256"]


class TokenDesk:
    """Gives and knows tokens. registrations: companies and machines with their JWKS."""

    def __init__(self, profile: TokenProfile, registrations: Mapping[str, Any], *, life_s: int = 30) -> None:
        self._profile = profile
        self._companies = registrations.get("companies", {})
        self._machines = registrations.get("machines", {})
        self._life_s = life_s
        self._seen: set[str] = set()
        self._tokens: dict[str, tuple[datetime, str]] = {}
        self.given = 0

    def give(self, form: bytes, url: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """Answer a token request: HTTP status and document. `url`: our own, the audience that JWTs must name."""
        fields = {name: values[0] for name, values in parse_qs(form.decode("latin-1")).items()}
        company = self._subject(fields.get("assertion", ""), self._companies, url, now)
        if isinstance(company, Refusal):
            return 400, {"error": "invalid_grant", "error_description": company.text}
        machine = self._subject(fields.get("client_assertion", ""), self._machines, url, now)
        if isinstance(machine, Refusal):
            return 401, {"error": "invalid_client", "error_description": machine.text}
        if self._machines[machine].get("company") != company:
            return 401, {"error": "invalid_client", "error_description": "JWT assertion is not valid"}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = (now + timedelta(seconds=self._life_s), company)
        self.given += 1
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self._life_s, "scope": "ocp"}

    def company(self, authorization: str, now: datetime) -> str | None:
        """Whose token this is, None when it is not good."""
        scheme, _, token = authorization.partition(" ")
        until, company = self._tokens.get(token, (now, ""))
        return company if scheme == "Bearer" and company and now < until else None

    def expire_all(self) -> None:
        """Make every token bad at once."""
        self._tokens.clear()

    def participants(self, company: str) -> frozenset[str]:
        """The participants a company speaks for; empty: any."""
        return frozenset(self._companies.get(company, {}).get("participants", ()))

    def _subject(self, token: str, registered: Mapping[str, Any], url: str, now: datetime) -> str | Refusal:
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
        except jwt.PyJWTError:
            return Refusal("JWT could not parse")
        subject = str(claims.get("sub", ""))
        keys = {key["kid"]: key for key in registered.get(subject, {}).get("jwks", {}).get("keys", ())}
        key = keys.get(str(header.get("kid", "")))
        if key is None or claims.get("iss") != subject:
            return Refusal("JWT assertion is not valid")
        expires = claims.get("exp")
        if not isinstance(expires, int):
            return Refusal("JWT assertion is not valid")
        if expires <= now.timestamp():
            return Refusal("JWT has expired")
        if expires > now.timestamp() + self._profile.longest_assertion_life_s:
            return Refusal("JWT expiration time is unreasonable")
        try:
            jwt.decode(token, jwt.PyJWK(key).key, algorithms=_ALGORITHMS, audience=url, options={"verify_exp": False})
        except jwt.PyJWTError:
            return Refusal("JWT assertion is not valid")
        jti = str(claims.get("jti", ""))
        if not jti or jti in self._seen:
            return Refusal("JWT assertion is expired or invalid")
        self._seen.add(jti)
        return subject


class Refusal:
    """Why a JWT was not taken."""

    def __init__(self, text: str) -> None:
        self.text = text
