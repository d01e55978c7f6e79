"""The token door: assertions of a company and a machine for a short access token (RFC 7523).

The names of the form and of the claims are those of RFC 6749, 7519 and 7523; the words of a refusal are the
profile's. Times are the wall's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt

from pg_bridge.errors import BridgeError
from pg_bridge.profiles.ocp_file import TokenProfile
from pg_bridge.simulator.keys import SigningKey, read_public_keys
from pg_bridge.simulator.options import Registrations

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: no token is given: a call carries a JWT that its machine signed
SELF_SIGNED = "self_signed"
ALGORITHMS = ("RS256", "PS256", "ES256")
#: how far ahead of ours the issuer's clock may be, seconds
CLOCK_SKEW_S = 60


class TokenRefusedError(BridgeError):
    """The pretend OCP gives no token."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a token."""

    company: str
    machine: str
    until: float


class TokenDoor:
    """Gives tokens, and knows those it gave."""

    def __init__(self, profile: TokenProfile, registrations: Registrations, key: SigningKey, life_s: int) -> None:
        self._profile = profile
        self._key = key
        self.life_s = life_s
        self._company_of = {name: machine.company for name, machine in registrations.machines.items()}
        self._keys = {
            "company": {name: read_public_keys(one.jwks) for name, one in registrations.companies.items()},
            "machine": {name: read_public_keys(one.jwks) for name, one in registrations.machines.items()},
        }
        self._used: dict[tuple[str, str], float] = {}
        #: whose assertions were used since they were last taken away, their ids, and until when they are known
        self.fresh: list[tuple[str, str, float]] = []
        self._callers: dict[str, Caller] = {}
        self._count = 0

    def exchange(self, form: Mapping[str, str], token_url: str, now: datetime) -> dict[str, Any]:
        """A token for the form's assertions. Raises TokenRefusedError."""
        at = now.timestamp()
        self._forget(at)
        both = self._profile.grant == "jwt_bearer"
        grant = JWT_BEARER if both else self._profile.grant
        if self._profile.grant == SELF_SIGNED:
            raise TokenRefusedError("unsupported_grant_type", "no token is given: sign one for each call")
        if form.get("grant_type") != grant:
            raise TokenRefusedError("unsupported_grant_type", f"grant_type must be {grant}")
        if form.get("client_assertion_type") != CLIENT_ASSERTION:
            raise TokenRefusedError("invalid_client", f"client_assertion_type must be {CLIENT_ASSERTION}")
        wanted = ("assertion", "client_assertion") if both else ("client_assertion",)
        missing = [name for name in wanted if not form.get(name)]
        if missing:
            raise TokenRefusedError("invalid_request", f"missing: {', '.join(missing)}")
        company = ""
        if both:
            company, company_id = self._check("company", form["assertion"], token_url, at)
        machine, machine_id = self._check("machine", form["client_assertion"], token_url, at)
        if both and self._company_of[machine] != company:
            raise self._refused("machine", "assertion_not_valid")
        company = company or self._company_of[machine]
        # only now: a refused exchange uses no jti up
        until = at + self._profile.longest_assertion_life_s
        used = [("company", company_id, until)] if both else []
        self.fresh += [*used, ("machine", machine_id, until)]
        self.restore(self.fresh)
        return self._give(company, machine, token_url, at)

    def caller(self, token: str, now: datetime, audience: str) -> Caller | None:
        """Who holds this token, None when it is none of ours or too old. audience: of a token that is none of ours."""
        if self._profile.grant == SELF_SIGNED:
            return self._self_signed(token, audience, now.timestamp())
        caller = self._callers.get(token)
        return caller if caller is not None and now.timestamp() < caller.until else None

    def _self_signed(self, token: str, audience: str, at: float) -> Caller | None:
        """The machine that signed this token for this call alone."""
        self._forget_used(at)
        try:
            machine, jti = self._check("machine", token, audience, at)
        except TokenRefusedError:
            return None
        self._used[("machine", jti)] = until = at + self._profile.longest_assertion_life_s
        return Caller(self._company_of[machine], machine, until)

    def expire_all(self) -> None:
        """Let no token be good any longer."""
        self._callers.clear()

    def used(self) -> list[tuple[str, str, float]]:
        """Whose assertions were used, their ids, and until when they are known."""
        return [(*name, until) for name, until in self._used.items()]

    def restore(self, used: Iterable[tuple[str, str, float]]) -> None:
        """Know that these were used."""
        self._used.update(((who, jti), until) for who, jti, until in used)

    def sign_with(self, key: SigningKey) -> None:
        """Sign tokens by this key from now on."""
        self._key = key

    def keys_of(self, machine: str, now: datetime) -> list[Any]:
        """The public keys of a machine that have not ended."""
        at = now.timestamp()
        return [one.key for one in self._keys["machine"].get(machine, {}).values() if one.is_good(at)]

    def _check(self, who: str, assertion: str, token_url: str, at: float) -> tuple[str, str]:
        """The subject and jti of a good assertion."""
        try:
            header = jwt.get_unverified_header(assertion)
            claimed = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            unreadable = "assertion_unreadable" if who == "machine" else "assertion_not_valid"
            raise self._refused(who, unreadable) from error
        registered = self._keys[who].get(str(claimed.get("sub")), {}).get(str(header.get("kid")))
        if registered is None or not registered.is_good(at) or header.get("alg") not in ALGORITHMS:
            raise self._refused(who, "assertion_not_valid")
        try:
            claims = jwt.decode(
                assertion,
                registered.key,
                algorithms=[header["alg"]],
                audience=token_url,
                issuer=claimed["sub"],
                # the times are compared below, against the wall that we were given
                options={
                    "require": ["iss", "sub", "aud", "iat", "exp", "jti"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            raise self._refused(who, "assertion_not_valid") from error
        self._check_times(who, claims, at)
        jti = claims["jti"]
        if not isinstance(jti, str) or (who, jti) in self._used:
            raise self._refused(who, "assertion_not_valid")
        return claims["sub"], jti

    def _check_times(self, who: str, claims: Mapping[str, Any], at: float) -> None:
        until, issued = claims["exp"], claims["iat"]
        if not all(isinstance(moment, int | float) for moment in (until, issued)):
            raise self._refused(who, "assertion_not_valid")
        if until <= at:
            raise self._refused(who, f"{who}_assertion_expired")
        if until - at > self._profile.longest_assertion_life_s:
            raise self._refused(who, "assertion_too_long_lived")
        if issued > at + CLOCK_SKEW_S:
            raise self._refused(who, "assertion_not_valid")

    def refused_by_order(self) -> TokenRefusedError:
        """What a machine is told whose assertion is not valid."""
        return self._refused("machine", "assertion_not_valid")

    def _refused(self, who: str, why: str) -> TokenRefusedError:
        error = "invalid_client" if who == "machine" else "invalid_grant"
        return TokenRefusedError(error, self._profile.refusals.get(why, why))

    def _give(self, company: str, machine: str, token_url: str, at: float) -> dict[str, Any]:
        self._count += 1
        claims = {
            "iss": token_url,
            "sub": machine,
            "iat": int(at),
            "exp": int(at) + self.life_s,
            "jti": f"T{self._count:08d}",
        }
        token = jwt.encode(claims, self._key.private, algorithm=self._key.algorithm, headers={"kid": self._key.kid})
        self._callers[token] = Caller(company, machine, at + self.life_s)
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.life_s, "scope": company}

    def _forget_used(self, at: float) -> None:
        # all live equally long: the oldest ends first
        while self._used and self._used[oldest := next(iter(self._used))] <= at:
            del self._used[oldest]

    def _forget(self, at: float) -> None:
        self._forget_used(at)
        self._callers = {token: caller for token, caller in self._callers.items() if caller.until > at}
