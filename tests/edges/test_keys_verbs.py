"""`keys new`, `list`, `rotate` and `export`: what lies on the disk and what is shown; the bridge reads what they wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from typer.testing import CliRunner, Result

from pg_bridge.cli.key_files import read_keys
from pg_bridge.cli.main import app
from pg_bridge.cli.world import utc_now
from pg_bridge.errors import BridgeError, ConfigError
from pg_bridge.ocp.key_ring import KeyRing
from pg_bridge.ocp.keys import KeyPair


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments])


def facts(done: Result) -> Any:
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.stdout)


def refused(*arguments: str) -> BridgeError:
    done = run(*arguments)
    assert isinstance(done.exception, ConfigError), done.output
    return done.exception


def make(folder: Path, *more: str, ends: str = "") -> Path:
    """A configuration with a key for the company and the machine."""
    for name in ("company", "machine"):
        facts(run("new", str(folder / f"{name}.pem"), "--json", *(("--ends", ends) if ends else ()), *more))
    path = folder / "bridge.toml"
    path.write_text(
        f'[ocp]\nbase_url = "https://ocp.example"\ncompany_id = "C"\nmachine_id = "M"\n'
        f'company_key_file = "{folder}/company.pem"\nmachine_key_file = "{folder}/machine.pem"\n'
        f'key_passphrase_env = "{"PHRASE" if more else ""}"\n[participants.B01234]\n',
        "utf-8",
    )
    return path


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_new_key_signs_and_its_export_verifies(tmp_path: Path, algorithm: str) -> None:
    path = tmp_path / "k.pem"
    made = facts(run("new", str(path), "--algorithm", algorithm, "--json"))
    jwk = json.loads(run("export", str(path), "--form", "jwk", "--algorithm", algorithm).stdout)
    pem = run("export", str(path), "--form", "pem", "--algorithm", algorithm).stdout.encode()
    key = KeyPair(path.read_bytes(), algorithm=algorithm)
    token = key.sign_jwt({"iss": "us"}, key.thumbprint)

    library = ECAlgorithm if algorithm == "ES256" else RSAAlgorithm
    for public in (library.from_jwk(jwk), serialization.load_pem_public_key(pem)):
        assert {"iss": "us"} == jwt.decode(token, public, algorithms=[algorithm])
    assert made["thumbprint"] == key.thumbprint == jwk["kid"]
    assert algorithm == jwk["alg"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)
    assert b"PRIVATE" not in pem
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_key_locked_by_a_passphrase_is_useless_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASE", "open sesame")
    path = tmp_path / "k.pem"
    facts(run("new", str(path), "--passphrase-env", "PHRASE", "--json"))

    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    assert KeyPair(path.read_bytes(), passphrase=b"open sesame").thumbprint
    assert "another passphrase" in str(refused("export", str(path)))
    assert 0 == run("export", str(path), "--passphrase-env", "PHRASE").exit_code
    assert "no such option" in run("new", str(tmp_path / "l"), "--passphrase", "open sesame").output.lower()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes it")
def test_a_key_of_openssl_made_for_rsa_pss_alone_signs(tmp_path: Path) -> None:
    path = tmp_path / "pss.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(path)],
        check=True,
        capture_output=True,
    )
    key = KeyPair(path.read_bytes(), algorithm="PS256")

    public = RSAAlgorithm.from_jwk(key.public_jwk)
    assert {"iss": "us"} == jwt.decode(key.sign_jwt({"iss": "us"}, "k"), public, algorithms=["PS256"])


def test_nothing_is_written_over_and_no_weak_key_is_made(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    facts(run("new", str(path), "--json"))
    before = path.read_bytes()

    assert "lists keys already" in str(refused("new", str(path)))
    (tmp_path / "k.keys.toml").unlink()
    assert "ever written over" in str(refused("new", str(path)))
    assert before == path.read_bytes()
    assert "2048 to 8192 bits" in str(refused("new", str(tmp_path / "l.pem"), "--bits", "1024"))
    assert "HS256" in str(refused("new", str(tmp_path / "l.pem"), "--algorithm", "HS256"))
    assert "is past" in str(refused("new", str(tmp_path / "l.pem"), "--ends", "2020-01-01"))
    assert not (tmp_path / "l.pem").exists()


def test_list_says_which_key_signs_and_warns_from_14_days_on(tmp_path: Path) -> None:
    far = (utc_now() + timedelta(days=20)).isoformat()
    config = str(make(tmp_path, ends=far))
    good = run("list", "-c", config, "--json")
    listed = tmp_path / "company.keys.toml"
    listed.write_text(
        listed.read_text("utf-8").replace(far[:10], f"{utc_now() + timedelta(days=13):%Y-%m-%d}"), "utf-8"
    )
    near = run("list", "-c", config, "--json")

    assert (0, []) == (good.exit_code, facts(good)["findings"])
    assert ["signs", "signs"] == [key["state"] for key in facts(good)["keys"]]
    assert [20, 20] == [round(key["days_left"]) for key in facts(good)["keys"]]
    assert (1, ["PGB-KEY-004"]) == (near.exit_code, [one["code"] for one in facts(near)["findings"]])


def test_rotate_keeps_both_live_switches_at_its_time_and_ends_the_old_one(tmp_path: Path) -> None:
    config = str(make(tmp_path))
    made = facts(
        run("rotate", "machine", "-c", config, "--use-from", "2090-12-01T18:00", "--old-ends", "2090-12-08", "--json")
    )
    ring = KeyRing("machine", read_keys(f"{tmp_path}/machine.pem", "machine"), "RS256")
    exported = facts(run("export", "machine", "-c", config, "--json"))["keys"]
    states = {key["file"]: key["state"] for key in facts(run("list", "-c", config, "--json"))["keys"]}

    def signs(moment: datetime) -> str:
        return ring.at(moment).pair.thumbprint

    old, new = made["old"]["thumbprint"], made["thumbprint"]
    switch = datetime(2090, 12, 1, 10, tzinfo=UTC)
    moments = (utc_now(), switch - timedelta(seconds=1), switch, switch + timedelta(days=30))
    assert [old, old, new, new] == [signs(moment) for moment in moments]
    assert [old, new] == [key["thumbprint"] for key in exported]
    assert {"company.pem": "signs", "machine.pem": "signs", Path(made["file"]).name: "waits"} == states
    assert "2090-12-08T00:00:00+08:00" == made["old"]["ends_at"]
    assert 0o600 == Path(made["file"]).stat().st_mode & 0o777
    assert (tmp_path / "machine.pem").exists()
    assert "already waits" in str(refused("rotate", "machine", "-c", config))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--use-from", "2020-01-01"), "--use-from is past"),
        (("--use-from", "2090-01-02", "--old-ends", "2090-01-01"), "between them none would be good"),
        (("--use-from", "2090-01-02", "--ends", "2090-01-01"), "would end before it signs"),
        (("--use-from", "soon"), "write 2027-11-30"),
    ],
)
def test_a_rotation_with_times_that_make_no_sense_changes_nothing(
    tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    config = str(make(tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert said in str(refused("rotate", "company", "-c", config, *more))
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_rotation_locks_the_new_key_as_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASE", "open sesame")
    config = str(make(tmp_path, "--passphrase-env", "PHRASE"))
    made = facts(run("rotate", "company", "-c", config, "--json"))

    assert b"ENCRYPTED PRIVATE KEY" in Path(made["file"]).read_bytes()
    assert 0 == run("list", "-c", config).exit_code
