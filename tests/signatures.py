"""DKIM for tests: a key, the zone that publishes it, and three verifiers that share no line.

dkimpy asks a real DNS server; `holds` is RFC 6376 read once more, on `cryptography`; OpenDKIM,
where Debian's package is there.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from alerts.signing import Signer
from tests.dnsserver import asking, serving, text

AUTHOR, SELECTOR = "alertes@coop.exemple.quebec", "alertes2026"
DOMAIN = AUTHOR.partition("@")[2]
NAME = f"{SELECTOR}._domainkey.{DOMAIN}"


@cache
def pem(bits: int = 2048) -> bytes:
    """A private key as openssl writes it."""
    made = generate_private_key(65537, bits)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_file(folder: Path, content: bytes = b"", mode: int = 0o600) -> Path:
    """A key in a file of that mode."""
    file = folder / "dkim.pem"
    file.write_bytes(content or pem())
    file.chmod(mode)
    return file


def signer(folder: Path) -> Signer:
    """What signs for the author of the gallery's letters."""
    return Signer.of(key_file(folder), selector=SELECTOR, author=AUTHOR)


def record(of: Signer) -> str:
    """What the DNS has of it."""
    return f"v=DKIM1; k=rsa; p={base64.b64encode(of.public).decode()}"


def verified(content: bytes, of: Signer) -> bool:
    """Whether dkimpy accepts the signature, its key asked of a DNS server."""
    with serving(text(NAME, record(of)) + "\n") as zone:
        dns = asking(zone)

        def answer(name: bytes, timeout: int = 5) -> bytes | None:
            return next((one.encode() for one in dns.records(name.decode(), "TXT")), None)

        return bool(dkim.verify(content, dnsfunc=answer))


def holds(content: bytes, of: Signer) -> bool:
    """Whether the first signature holds (RFC 6376, 6.1.3): relaxed/relaxed, RSA, all headers."""
    head, _, body = content.partition(b"\r\n\r\n")
    fields = re.findall(rb"(?ms)^([!-9;-~]+):(.*?)(?=\r\n[!-9;-~]|\Z)", head)
    signature = next(value for name, value in fields if name.lower() == b"dkim-signature")
    tags = {
        name.strip(): re.sub(rb"\s", b"", value)
        for name, _, value in (part.partition(b"=") for part in signature.split(b";"))
    }
    if base64.b64decode(tags[b"bh"]) != sha256(_relaxed_body(body)).digest():
        return False
    left, signed = list(fields), []
    for wanted in tags[b"h"].split(b":"):
        places = [n for n, (name, _) in enumerate(left) if name.lower() == wanted.lower()]
        if places:
            signed.append(_relaxed(*left.pop(places[-1])))
    unsigned = re.sub(rb"(\bb=)[^;]*$", rb"\1", signature.rstrip())
    data = b"\r\n".join([*signed, _relaxed(b"DKIM-Signature", unsigned)])
    key = load_der_public_key(of.public)
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(base64.b64decode(tags[b"b"]), data, PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _relaxed(name: bytes, value: bytes) -> bytes:
    return name.lower().strip() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    whole = b"\r\n".join(lines).rstrip(b"\r\n")
    return whole + b"\r\n" if whole else b""


def opendkim_lacks() -> str:
    """Why OpenDKIM cannot be asked; "" where it can, or must be (CI)."""
    asked = shutil.which("opendkim") or os.environ.get("FORBID_SKIPS") == "1"
    return "" if asked else "no OpenDKIM on this machine"


def opendkim_verifies(content: bytes, of: Signer, folder: Path) -> bool:
    """Whether OpenDKIM accepts the signature, its key read from a file."""
    (folder / "keys").write_text(f"{NAME} {record(of)}\n", "ascii")
    (folder / "conf").write_text(f"Mode v\nSyslog no\nTestDNSData {folder}/keys\n", "ascii")
    (folder / "message").write_bytes(content)
    told = subprocess.run(  # noqa: S603, a folder of ours
        ["opendkim", "-x", str(folder / "conf"), "-t", str(folder / "message")],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    return "succeeded" in told.stdout + told.stderr
