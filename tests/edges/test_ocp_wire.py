"""TLS, client certificates and proxies, over real sockets with certificates made here."""

import ssl
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pg_bridge.errors import ConfigError, OcpError, OcpUnavailable
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.wire import Wire, tls_context
from tests.doubles import ocp_world as world
from tests.doubles.scripted_http import Answer, ScriptedHttp


def certificate(name: str) -> bytes:
    """A self-signed certificate for 127.0.0.1 by one of the shared keys, PEM."""
    key = serialization.load_pem_private_key(world.key_pem(name), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    return (
        now.public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(world.NOW - timedelta(days=3650))
        .not_valid_after(world.NOW + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`<name>.crt` and `<name>.key` of the server and of us."""
    path = tmp_path_factory.mktemp("tls")
    for name in ("server", "ours"):
        (path / f"{name}.crt").write_bytes(certificate(name))
        (path / f"{name}.key").write_bytes(world.key_pem(name))
    return path


def server_tls(folder: Path, *, wants_ours: bool = False) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.crt", folder / "server.key")
    if wants_ours:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(folder / "ours.crt")
    return tls


@pytest.fixture
async def secure(folder: Path) -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp(server_tls(folder, wants_ours=True)) as server:
        server.on("/", Answer(200, b"hello"))
        yield server


async def fetch(options: OcpOptions, url: str) -> bytes:
    wire = Wire(options, ServerClock(world.FakeClock()))
    try:
        return (await wire.send("GET", httpx.URL(url), [], b"", "asking")).body
    finally:
        await wire.aclose()


async def test_a_known_ca_and_our_certificate_open_the_way(secure: ScriptedHttp, folder: Path) -> None:
    options = OcpOptions(
        base_url=secure.url,
        ca_file=folder / "server.crt",
        client_certificate_file=folder / "ours.crt",
        client_key_file=folder / "ours.key",
    )

    assert await fetch(options, secure.url + "/") == b"hello"


async def test_an_unknown_ca_sends_nothing(secure: ScriptedHttp, folder: Path) -> None:
    with pytest.raises(OcpUnavailable):
        await fetch(OcpOptions(base_url=secure.url), secure.url + "/")

    assert secure.requests == []


async def test_without_our_certificate_the_server_sees_nothing(secure: ScriptedHttp, folder: Path) -> None:
    with pytest.raises(OcpError):
        await fetch(OcpOptions(base_url=secure.url, ca_file=folder / "server.crt"), secure.url + "/")

    assert secure.requests == []


def test_tls_is_1_2_at_least(folder: Path) -> None:
    tls = tls_context(OcpOptions(base_url="https://ocp.example"))

    assert tls.minimum_version is ssl.TLSVersion.TLSv1_2
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


@pytest.mark.parametrize("name", ["ca_file", "client_certificate_file"])
def test_a_file_that_cannot_be_read_is_a_configuration_error(folder: Path, name: str) -> None:
    for path in (folder / "none", folder / "server.key"):
        with pytest.raises(ConfigError):
            tls_context(OcpOptions(base_url="https://ocp.example", **{name: path}))


async def test_a_server_that_speaks_older_tls_only_is_sent_nothing(folder: Path) -> None:
    tls = server_tls(folder)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with ScriptedHttp(tls) as server:
        with pytest.raises(OcpUnavailable):
            await fetch(OcpOptions(base_url=server.url, ca_file=folder / "server.crt"), server.url + "/")

        assert [] == server.requests


async def test_the_key_of_our_certificate_may_be_locked(secure: ScriptedHttp, folder: Path) -> None:
    locked = folder / "ours-locked.key"
    private = serialization.load_pem_private_key(world.key_pem("ours"), None)
    encryption = serialization.BestAvailableEncryption(b"open sesame")
    locked.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    options = OcpOptions(
        base_url=secure.url,
        ca_file=folder / "server.crt",
        client_certificate_file=folder / "ours.crt",
        client_key_file=locked,
        client_key_passphrase=b"open sesame",
    )

    assert b"hello" == await fetch(options, secure.url + "/")
    assert "sesame" not in repr(options)
    for wrong in (None, b"another"):  # and nobody is asked for it on the terminal
        with pytest.raises(ConfigError):
            tls_context(replace(options, client_key_passphrase=wrong))


async def test_a_proxy_is_used_with_its_password() -> None:
    async with ScriptedHttp() as proxy:
        proxy.on("http://ocp.invalid/api", Answer(200, b"by proxy"))
        address = proxy.url.replace("http://", "http://user:hush@")

        body = await fetch(OcpOptions(base_url="http://ocp.invalid", proxy=address), "http://ocp.invalid/api")

        assert body == b"by proxy"
        assert proxy.requests[0].headers["proxy-authorization"].startswith("Basic ")


async def test_a_proxy_that_refuses_the_way_sends_nothing_on() -> None:
    async with ScriptedHttp() as proxy:
        proxy.on("ocp.invalid:443", Answer(407, b"no"))

        with pytest.raises(OcpUnavailable):
            await fetch(OcpOptions(base_url="https://ocp.invalid", proxy=proxy.url), "https://ocp.invalid/api")


async def test_a_dead_proxy_sends_nothing_on() -> None:
    async with ScriptedHttp() as proxy:
        address = proxy.url
    options = OcpOptions(base_url="http://ocp.invalid", proxy=address.replace("http://", "http://user:hush@"))

    with pytest.raises(OcpUnavailable) as caught:
        await fetch(options, "http://ocp.invalid/api")

    assert "hush" not in str(caught.value)
