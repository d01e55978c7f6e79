"""No key, passphrase, token, assertion or credential of a PSS is ever written down: not in the log of level debug, not
in the journal's bytes, not on a screen, not in a list of arguments, whatever goes wrong at the token door."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pg_bridge.bridge import World
from pg_bridge.cli.world import build_world, utc_now
from pg_bridge.config import Config, read_config
from pg_bridge.errors import SessionError
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles import ocp_world as world
from tests.doubles.ocp_caller import shipped_profile
from tests.doubles.recording_relay import RecordingRelay
from tests.doubles.stack import QUICK, Stack

PASSPHRASE, CREDENTIAL, PROXY_PASSWORD = "open-sesame-7f3a", "PW9ZQ7KX", "hush-4c1d"
#: of the pretend OCP's token door
FAULTS = (
    "denied", "refused", "throttled", "broken", "closed", "timed_out", "cut_before", "cut_after", "broken_json",
    "wrong_shape",
)  # fmt: skip


def key_secrets(pem: bytes, name: str) -> dict[str, bytes]:
    """What must not be found of a private key: its numbers however they are written, and the lines of its file."""
    private = serialization.load_pem_private_key(pem, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    numbers = private.private_numbers()
    found = {f"{name} {n}": line for n, line in enumerate(pem.split(b"\n")[2:-2])}
    for member in ("d", "p", "q"):
        number = getattr(numbers, member)
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        found |= {
            f"{name} {member} decimal": str(number).encode()[:60],
            f"{name} {member} hex": raw.hex()[:60].encode(),
            f"{name} {member} base64url": base64.urlsafe_b64encode(raw).rstrip(b"=")[:60],
            f"{name} {member} raw": raw[:40],
        }
    return found


def found_in(text: bytes, secrets: dict[str, bytes]) -> list[str]:
    return [name for name, secret in secrets.items() if any(form in text for form in forms(secret))]


def forms(secret: bytes) -> list[bytes]:
    """As it is, and as it stands within base64, wherever it begins there: so the journal holds bytes."""
    found = [secret]
    for before in range(3):
        whole = base64.b64encode(b"x" * before + secret).rstrip(b"=")
        within = whole[(0, 2, 3)[before] : len(whole) - ((before + len(secret)) % 3 != 0)]
        found += [within, within.translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def test_a_secret_is_found_within_base64_wherever_it_begins() -> None:
    secret = b"PW9ZQ7KX?>~"

    for before in range(7):
        for behind in range(4):
            held = base64.b64encode(b"a" * before + secret + b"b" * behind)
            assert ["it"] == found_in(held, {"it": secret})
    assert [] == found_in(base64.b64encode(b"another text of this length"), {"it": secret})


class LockedStack(Stack):
    """Its keys are locked by a passphrase, its log tells everything, and what goes to OCP is recorded."""

    secrets: dict[str, bytes]

    def lock(self, url: str) -> None:
        """Lock the keys and have the bridge go by `url`."""
        self.secrets = {
            "passphrase": PASSPHRASE.encode(),
            "credential": CREDENTIAL.encode(),
            "proxy": PROXY_PASSWORD.encode(),
        }
        for name in ("company", "machine"):
            path = self.folder / f"{name}.pem"
            plain = path.read_bytes()
            locked = serialization.load_pem_private_key(plain, None).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(PASSPHRASE.encode()),
            )
            path.write_bytes(locked)
            self.secrets |= key_secrets(plain, name)
            self.secrets |= {f"{name} locked {n}": line for n, line in enumerate(locked.split(b"\n")[2:-2])}
        text = self.config.read_text("utf-8").replace('level = "warning"', 'level = "debug"')
        text = text.replace(f'base_url = "{self.ocp_url}"', f'base_url = "{url}"')
        self.config.write_text(text.replace("[ocp]\n", '[ocp]\nkey_passphrase_env = "KEYS_PHRASE"\n'), "utf-8")

    async def run(self, *arguments: str) -> bytes:
        """Everything that a verb writes."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pg_bridge",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        said = await process.stdout.read()
        await process.wait()
        return said

    def arguments(self) -> bytes:
        """The bridge's list of arguments, as everybody on the machine may read it."""
        return Path(f"/proc/{self.bridge.pid}/cmdline").read_bytes()

    def written(self) -> Iterable[tuple[str, bytes]]:
        """Every file of the folder but those that hold the secrets."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix != ".pem":
                yield path.name, path.read_bytes()


async def a_day(stack: LockedStack, relay: RecordingRelay) -> None:
    """Log-ons good and bad, instructions between all faults of the token door, keys that change and are spoilt."""
    words = stack.words
    for participant, said in (("X99999", "UNKNOWN"), ("B01234", "")):
        pss = ScriptedPss(stack.link, participant=participant, terminal="BAD", clock=utc_now)
        await pss.connect(stack.host, stack.port)
        if said:
            with pytest.raises(SessionError, match=said):
                await pss.log_on(credential=CREDENTIAL)
        else:
            pss.send_bytes(b"{LGON CRED/" + CREDENTIAL.encode() + b"}" * 400)
        pss.abort()
    sent: list[bytes] = []

    class Keeping(ScriptedPss):
        def sent_bytes(self, data: bytes) -> bytes:
            sent.append(data)
            return data

    again = Keeping(stack.link, participant="C00019", terminal="PSS2", clock=utc_now)
    await again.connect(stack.host, stack.port)
    await again.log_on(credential=CREDENTIAL)
    again.send_bytes(sent[0])  # a second log-on within the session
    assert await stack.eventually(lambda: 2 <= len(stack.entries(kind="frame_refused")))
    again.abort()
    pss = ScriptedPss(stack.link, participant="B01234", terminal="PSS1", clock=utc_now)
    await pss.connect(stack.host, stack.port)
    await pss.log_on(credential=CREDENTIAL)
    for number, kind in enumerate((*FAULTS, "quotes")):
        if kind == "quotes":
            relay.quotes = 2
        else:
            await stack.fault("token", kind)
        await stack.control("expire-tokens", {})
        words.send_deliver(pss, f"DAY{number}", stock="00011")
        await pss.message(words.template["answer"], words.holds("related", f"DAY{number}"), timeout_s=30)
    await pss.log_off()


async def test_nothing_secret_is_written_down_by_a_day_of_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYS_PHRASE", PASSPHRASE)
    stack = LockedStack(tmp_path, extra=QUICK)
    try:
        await stack.start_ocp()
        port = int(stack.ocp_url.rpartition(":")[2])
        async with RecordingRelay(port, shipped_profile().token.path) as relay:
            stack.lock(relay.url)
            await stack.start_bridge()
            await a_day(stack, relay)
            said = [
                await stack.run("doctor", "-c", str(stack.config)),
                await stack.run("keys", "list", "-c", str(stack.config), "--json"),
                await stack.run("keys", "export", "company", "-c", str(stack.config), "--json"),
                await stack.run("keys", "rotate", "company", "-c", str(stack.config), "--json"),
            ]
            monkeypatch.setenv("KEYS_PHRASE", "another-phrase")
            said.append(await stack.run("doctor", "-c", str(stack.config), "--json"))
            said.append(await stack.run("keys", "list", "-c", str(stack.config)))
            said.append(stack.arguments())
            await stack.stop_bridge()
            said.append(await stack.bridge.stdout.read())
            tokens = relay.jwts()
    finally:
        await stack.stop()
    secrets = dict(stack.secrets)
    for number, one in enumerate(sorted(tokens)):
        _, claims, signature = one.split(b".")
        secrets |= {f"jwt {number} claims": claims, f"jwt {number} signature": signature}

    assert 3 * len(FAULTS) <= len(tokens)
    assert {"ocp_failed", "frame_refused", "session_refused", "key_used"} <= {entry.kind for entry in stack.entries()}
    log = (tmp_path / "bridge.log").read_bytes()
    assert b"session_opened" in log
    payloads = b"\n".join(entry.payload for entry in stack.entries())
    written = [*stack.written(), ("payloads", payloads), *((f"said {n}", text) for n, text in enumerate(said))]
    # the pretend OCP's own files are the other side's
    looked = [(name, text) for name, text in written if name not in ("ocp.log", "registrations.json")]
    assert {"bridge.log", "journal.sqlite", "payloads"} <= {name for name, _ in looked}
    assert [] == [(name, found) for name, text in looked if (found := found_in(text, secrets))]


def test_configuration_and_world_do_not_show_what_is_secret(tmp_path: Path) -> None:
    for name in ("company", "machine"):
        path = tmp_path / f"{name}.pem"
        path.touch(0o600)
        path.write_bytes(world.key_pem(name))
    config: Config = read_config(
        f"""
        [ocp]
        base_url = "https://ocp.example"
        company_id = "C"
        machine_id = "M"
        company_key_file = "{tmp_path}/company.pem"
        machine_key_file = "{tmp_path}/machine.pem"
        key_passphrase_env = "PHRASE"
        proxy = "http://user:{PROXY_PASSWORD}@proxy.example"
        [participants.B01234]
        """,
        os.environ,
    )
    made: World = build_world(config, {"PHRASE": PASSPHRASE})
    keys = made.read_keys()
    shown = "".join(
        map(repr, (config, made, keys, world.identity(), world.key("company"), vars(made.__class__)))
    ).encode()

    secrets = {"passphrase": PASSPHRASE.encode(), "proxy": PROXY_PASSWORD.encode()}
    for name in ("company", "machine"):
        secrets |= key_secrets(world.key_pem(name), name)
    assert [] == found_in(shown, secrets)
    assert b"base_url" in shown
