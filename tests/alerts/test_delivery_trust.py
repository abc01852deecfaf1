"""A relay that cannot be trusted learns our name and nothing else: no octet of AUTH or mail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerts import delivery
from alerts.delivery import Envelope, Outcome, Relay
from alerts.errors import RelayMisconfigured, RelayUnreachable
from tests.mailserver import Act, Script, mail_server, scripted_server

LETTER = Envelope("retours@exemple.quebec", "anne@exemple.quebec", b"Subject: essai\r\n\r\nfin\r\n")
SECRET = "canari-secret"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MODES = pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "CONNECT_WITHIN", 2.0)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def _relay(port: int, *, implicit: bool, ca_file: Path | None = None) -> Relay:
    return Relay(
        host="localhost",
        port=port,
        tls="implicit" if implicit else "starttls",
        user="alertes",
        password=SECRET,
        ca_file=ca_file,
        helo="test",
    )


def _good(authority: trustme.CA, _folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def _expired(authority: trustme.CA, _folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    over = LONG_AGO + timedelta(days=90)
    authority.issue_cert("localhost", not_before=LONG_AGO, not_after=over).configure_cert(context)
    return context


def _another_name(authority: trustme.CA, _folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("relais.exemple.quebec").configure_cert(context)
    return context


def _unknown_authority(_authority: trustme.CA, folder: Path) -> ssl.SSLContext:
    return _good(trustme.CA(), folder)


def _self_signed(_authority: trustme.CA, folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AGO + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "self-signed.pem"
    file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _tls_1_0(authority: trustme.CA, folder: Path) -> ssl.SSLContext:
    context = _good(authority, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@MODES
async def test_a_relay_that_can_be_trusted_gets_credentials_and_letter_encrypted(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, implicit: bool
) -> None:
    """Without this one, those below could be green for another reason."""
    tls = _good(authority, tmp_path)
    script = Script(tls=tls, implicit=implicit, extensions=("AUTH PLAIN",))
    async with scripted_server(script):
        connection = await _relay(script.port, implicit=implicit, ca_file=ca_file).connect()
        receipt = await connection.offer(LETTER) or await connection.finish()
        await connection.quit()
    assert receipt.outcome is Outcome.ACCEPTED
    assert any(line.startswith(b"AUTH PLAIN") for line in script.heard)
    assert script.clear == ([] if implicit else [b"EHLO test", b"STARTTLS"])


@MODES
async def test_a_real_server_takes_the_letter_over_tls(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, implicit: bool
) -> None:
    tls = _good(authority, tmp_path)
    async with mail_server(tls, implicit=implicit, require_starttls=not implicit) as mailbox:
        mode = "implicit" if implicit else "starttls"
        relay = Relay(host="localhost", port=mailbox.port, tls=mode, ca_file=ca_file, helo="test")
        connection = await relay.connect()
        receipt = await connection.offer(LETTER) or await connection.finish()
        await connection.quit()
    assert receipt.outcome is Outcome.ACCEPTED
    assert [content for _, _, content in mailbox.received] == [LETTER.content]


@MODES
@pytest.mark.parametrize("context", [_expired, _another_name, _unknown_authority, _self_signed])
async def test_a_relay_that_cannot_be_trusted_sees_no_octet_of_auth_or_mail(
    authority: trustme.CA,
    ca_file: Path,
    tmp_path: Path,
    implicit: bool,
    context: Callable[[trustme.CA, Path], ssl.SSLContext],
) -> None:
    tls = context(authority, tmp_path)
    script = Script(tls=tls, implicit=implicit, extensions=("AUTH PLAIN",))
    async with scripted_server(script):
        with pytest.raises(RelayMisconfigured):
            await _relay(script.port, implicit=implicit, ca_file=ca_file).connect()
    assert script.heard == ([] if implicit else [b"EHLO test", b"STARTTLS"])


def _old_relay(listening: socket.socket, tls: ssl.SSLContext, heard: list[bytes]) -> None:
    """One client of a server that knows only TLS 1.0, blocking, so that its alert gets out."""
    client, _ = listening.accept()
    with client, contextlib.suppress(OSError):
        client.sendall(b"220 test\r\n")
        for reply in (b"250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            heard.append(client.recv(1000))
            client.sendall(reply)
        with tls.wrap_socket(client, server_side=True) as encrypted:
            heard.append(encrypted.recv(1000))


async def test_a_relay_that_knows_only_tls_1_0_sees_no_octet_of_auth_or_mail(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tls = _tls_1_0(authority, tmp_path)
        serving = asyncio.to_thread(_old_relay, listening, tls, heard)
        task = asyncio.create_task(serving)
        relay = _relay(listening.getsockname()[1], implicit=False, ca_file=ca_file)
        with pytest.raises(RelayMisconfigured, match=r"(?i)protocol|version"):
            await relay.connect()
        await task
    assert heard == [b"EHLO test\r\n", b"STARTTLS\r\n"]


STRIPPED = [
    pytest.param({}, ("AUTH PLAIN",), id="F-30f no STARTTLS"),
    pytest.param({"starttls": "454 4.7.0 not now"}, ("STARTTLS", "AUTH PLAIN"), id="F-30f 454"),
    pytest.param({"starttls": "502 5.5.1 what"}, ("STARTTLS", "AUTH PLAIN"), id="502"),
    pytest.param({"starttls": "250 2.0.0 ok"}, ("STARTTLS", "AUTH PLAIN"), id="another 2yz"),
    pytest.param({"ehlo": "502 5.5.1 what"}, (), id="F-30e HELO only"),
]


@pytest.mark.parametrize(("acts", "extensions"), STRIPPED)
async def test_nothing_is_said_in_clear_to_a_relay_that_will_not_encrypt(
    acts: dict[str, Act], extensions: tuple[str, ...]
) -> None:
    async with scripted_server(Script(acts, extensions=extensions)) as script:
        with pytest.raises(RelayMisconfigured):
            await _relay(script.port, implicit=False).connect()
    assert {line.split(b" ")[0] for line in script.heard} <= {
        b"EHLO",
        b"HELO",
        b"STARTTLS",
        b"QUIT",
    }


async def test_what_was_said_before_the_encryption_does_not_count_within_it(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """RFC 3207, 6: a man in the middle may add replies behind the 220."""
    tls = _good(authority, tmp_path)
    injected = b"220 go\r\n250-test\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n"
    async with scripted_server(Script({"starttls": injected}, tls=tls)) as script:
        with pytest.raises(RelayMisconfigured, match="AUTH"):
            await _relay(script.port, implicit=False, ca_file=ca_file).connect()
    assert not any(b"AUTH" in line for line in script.heard)


@pytest.mark.parametrize(
    ("acts", "extensions", "fault"),
    [
        pytest.param(
            {"auth": "535 5.7.8 bad credentials"},
            ("AUTH PLAIN",),
            RelayMisconfigured,
            id="F-30g 535",
        ),
        pytest.param(
            {"auth": "534 5.7.9 too weak"}, ("AUTH LOGIN",), RelayMisconfigured, id="F-30g 534"
        ),
        pytest.param(
            {"auth": "454 4.7.0 temporary"}, ("AUTH PLAIN",), RelayUnreachable, id="F-30g 454"
        ),
        pytest.param({}, (), RelayMisconfigured, id="AUTH not offered"),
        pytest.param({}, ("AUTH GSSAPI",), RelayMisconfigured, id="no mechanism of ours"),
        pytest.param({}, ("AUTH PLAIN",), None, id="welcome"),
    ],
)
async def test_credentials_are_never_shown_and_refused_ones_call_a_person(
    acts: dict[str, Act],
    extensions: tuple[str, ...],
    fault: type[Exception] | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with scripted_server(Script(acts, extensions=extensions)) as script:
        relay = Relay(
            host="127.0.0.1", port=script.port, tls="none", user="alertes", password=SECRET
        )
        with pytest.raises(fault) if fault else contextlib.nullcontext() as caught:
            await (await relay.connect()).quit()
    shown = f"{relay!r} {caplog.text} {caught.value if caught else ''}"
    assert "canari" not in shown
    assert "Y2FuYXJpLXNlY3JldA" not in shown
