"""What of OCP's side the bridge needs: keys that sign, a way to it, a token, and clocks that agree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pg_bridge.cli.doctor_lines import Line, Verdict, wrong
from pg_bridge.cli.key_files import read_passphrase, read_secret
from pg_bridge.cli.keys import end_findings
from pg_bridge.cli.keys_set import BOTH, KeySet, told
from pg_bridge.cli.world import RandomIds, utc_now
from pg_bridge.config import Config
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.examination import Examination, certificate_ends, examine
from pg_bridge.ocp.key_ring import WARNING, KeyRing
from pg_bridge.ocp.tokens import Identity
from pg_bridge.ocp.wire import tls_context
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.settings import ocp_options

#: seconds that OCP's clock and ours may be apart: more is warned of, more than the second is wrong
SKEW_S, MOST_SKEW_S = 5.0, 60.0


def ocp_lines(config: Config, profile: OcpProfile) -> Iterator[Line]:
    """Keys and certificates, then OCP itself."""
    passphrase: bytes | None = None
    try:
        passphrase = read_passphrase(config.ocp.key_passphrase_env, config.ocp.key_passphrase_file, os.environ)
    except ConfigError as error:
        yield from wrong("passphrase", error, "Correct key_passphrase_env or key_passphrase_file in [ocp].")
    keys = KeySet(config, profile.token, passphrase)
    rings: list[KeyRing] = []
    for whose in BOTH:
        try:
            ring = keys.ring(whose)
        except ConfigError as error:
            remedy = f"Correct {whose}_key_file in [ocp], or make a key: pg-bridge keys new."
            yield from wrong(f"{whose}'s key", error, remedy)
            continue
        rings.append(ring)
        yield from _key_lines(keys, ring)
    certificate = list(_certificate_lines(config, passphrase))
    yield from certificate
    if len(rings) < len(BOTH) or any(line.verdict == "wrong" for line in certificate):
        yield Line("OCP", "warning", "it was not asked, because keys or certificates are wrong", "Correct them first.")
        return
    company, machine = (ring.at(utc_now()).pair for ring in rings)
    identity = Identity(config.ocp.company_id, company, config.ocp.machine_id, machine)
    try:
        options = ocp_options(config, passphrase)
        found = asyncio.run(examine(profile, options, identity, utc_now, RandomIds().request_id))
    except ConfigError as error:
        yield from wrong("OCP", error, "Correct [ocp].")
        return
    yield from _found_lines(config, profile, found)


def _key_lines(keys: KeySet, ring: KeyRing) -> Iterator[Line]:
    now = utc_now()
    what = f"{ring.whose}'s key"
    findings = end_findings(keys, ring, now)
    for one in findings:
        yield Line(what, "wrong" if one.severity == "error" else "warning", one.text, one.remedy)
    signs = ring.at(now)
    if not signs.has_begun(now):
        text = f"no key of the {ring.whose} has begun: {signs.listed.file} signs although its time has not come"
        yield Line(what, "warning", text, f"Correct used_from in the list of {keys.file(ring.whose)}.")
    elif not findings:
        ends = f"ends {told(signs.listed.ends_at)}" if signs.listed.ends_at else "its end is not listed"
        yield Line(
            what, "good", f"{signs.listed.file} signs by {signs.pair.algorithm} as {signs.pair.thumbprint}; {ends}"
        )


def _certificate_lines(config: Config, passphrase: bytes | None) -> Iterator[Line]:
    ocp = config.ocp
    what = "client certificate" if ocp.client_certificate_file else "CA of OCP"
    if not ocp.client_certificate_file and not ocp.ca_file:
        return
    try:
        if ocp.client_key_file:
            read_secret(ocp.client_key_file, "the client certificate's key")
        tls_context(ocp_options(config, passphrase))
        if not ocp.client_certificate_file:
            yield Line(what, "good", f"{ocp.ca_file} can be read")
            return
        ends_at = certificate_ends(Path(ocp.client_certificate_file))
    except ConfigError as error:
        yield from wrong(what, error, "Correct ca_file, client_certificate_file and client_key_file in [ocp].")
        return
    left = ends_at - utc_now()
    text = f"{ocp.client_certificate_file} ends {told(ends_at)}"
    if left <= timedelta():
        yield Line(what, "wrong", text, "Get another: OCP takes it no longer.")
    elif left <= WARNING:
        yield Line(what, "warning", text, "Get another in time.")
    else:
        yield Line(what, "good", text)


def _found_lines(config: Config, profile: OcpProfile, found: Examination) -> Iterator[Line]:
    where = config.ocp.base_url
    if found.health_error:
        yield Line(
            "OCP", "wrong", f"{where}: {found.health_error}", "Look at base_url, proxy and ca_file, and the network."
        )
    elif found.health_status != 200:
        text = f"{where}: its health answers {found.health_status}"
        yield Line("OCP", "warning", text, "It may be closed for maintenance; ask HKEX when it lasts.")
    else:
        yield Line("OCP", "good", f"{where} is up; it answered within {found.health_s * 1000:.0f} ms")
    if found.token_error:
        remedy = "Look whether company_id, machine_id and both keys' thumbprints are registered at HKEX's portal."
        yield Line("token", "wrong", found.token_error, remedy)
    else:
        yield Line("token", "good", f"granted ({profile.token.grant}), and taken by a call")
    if found.skew_s is None:
        yield Line("clock", "warning", "OCP did not tell its time", "Compare this machine's clock by other means.")
    else:
        off = abs(found.skew_s)
        side = "behind" if found.skew_s > 0 else "ahead of"
        text = f"ours is {off:.0f} s {side} OCP's" if off >= SKEW_S else "ours and OCP's agree"
        verdict: Verdict = "wrong" if off > MOST_SKEW_S else "warning" if off >= SKEW_S else "good"
        remedy = "" if verdict == "good" else "Have this machine's clock set by NTP."
        yield Line("clock", verdict, text, remedy)
