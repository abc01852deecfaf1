"""What `alertes verifier` finds where we sign: the key, and its half in a real DNS."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alerts.doctor.findings import Check, Finding, State
from alerts.doctor.mail_names import MailNames
from alerts.doctor.name_checks import check_names
from alerts.doctor.signing_checks import check_signing
from base.settings import Relay
from scripts.doctor_words import sentence
from tests.dnsserver import asking, serving, text
from tests.signatures import AUTHOR, DOMAIN, NAME, SELECTOR, key_file, pem, record, signer


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Relay:
    """Settings with a key of ours."""
    for name, value in {
        "SMTP_HOST": "127.0.0.1",
        "AUTHOR_EMAIL": AUTHOR,
        "BOUNCE_EMAIL": f"retours@{DOMAIN}",
        "LIST_DOMAIN": DOMAIN,
        "DKIM_KEY_FILE": str(key_file(tmp_path)),
        "DKIM_SELECTOR": SELECTOR,
        # A relay's name, which is not the one that signs.
        "DKIM_SELECTORS": "s9",
    }.items():
        monkeypatch.setenv(name, value)
    return Relay.read()


def _asked(relay: Relay, *values: str, more: str = "") -> dict[Check, Finding]:
    """Who signs, and what the DNS with those keys says."""
    spf, dmarc = "v=spf1 mx -all", f"v=DMARC1; p=none; adkim=s; rua=mailto:r@{DOMAIN}"
    mx = f"{DOMAIN}. 60 IN MX 10 mx.{DOMAIN}.\nmx.{DOMAIN}. 60 IN A 8.8.4.4"
    zone = [mx, text(DOMAIN, spf), text(f"_dmarc.{DOMAIN}", dmarc), text(NAME, *values), more, ""]
    first, made = check_signing(relay)
    names = MailNames.of(relay, helo=f"mx.{DOMAIN}", signer=made)
    with serving("\n".join(zone)) as served:
        found = [first, *check_names(asking(served), names)]
    assert len({one.check for one in found}) == len(found)
    assert all(sentence(one) for one in found)
    return {one.check: one for one in found}


def test_a_key_whose_half_is_published_is_in_order_and_aligned(
    relay: Relay, tmp_path: Path
) -> None:
    found = _asked(relay, record(signer(tmp_path)))
    assert (found[Check.SIGNING].state, found[Check.SIGNING].cause) == (State.FINE, "ours")
    assert (found[Check.DKIM].state, found[Check.DKIM].cause) == (State.FINE, "fine")
    assert found[Check.ALIGNMENT].cause == "fine"


def _other() -> str:
    public = generate_private_key(65537, 2048).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


@pytest.mark.parametrize(
    ("published", "cause"),
    [
        pytest.param((_other(),), "another key", id="another key's half"),
        pytest.param(("v=DKIM1; k=rsa; p=",), "another key", id="revoked"),
        pytest.param(("v=DKIM1; k=rsa; p=AAAA",), "another key", id="not a key"),
        pytest.param(("v=DKIM1; k=ed25519; p=a",), "another key", id="of another kind"),
        pytest.param(("v=DKIM1; t=y; p=OURS",), "testing", id="on trial"),
        pytest.param(("v=DKIM1; p=OURS", "v=DKIM1; p="), "two", id="two records"),
    ],
)
def test_a_published_key_that_does_not_verify_our_signatures_is_to_mend(
    published: tuple[str, ...], cause: str, relay: Relay, tmp_path: Path
) -> None:
    public = base64.b64encode(signer(tmp_path).public).decode()
    found = _asked(relay, *(one.replace("OURS", public) for one in published))[Check.DKIM]
    assert (found.state, found.cause) == (State.MEND, cause)


def test_the_record_to_publish_is_said_on_one_line(relay: Relay, tmp_path: Path) -> None:
    found = _asked(relay, more=text(f"s9._domainkey.{DOMAIN}", "v=DKIM1; p=AAAA"))[Check.DKIM]
    assert (found.state, found.cause) == (State.MEND, "unpublished")
    asked = record(signer(tmp_path)).replace(" ", "")
    assert asked in sentence(found)
    assert _asked(relay, asked)[Check.DKIM].cause == "fine"


@pytest.mark.parametrize(
    ("content", "mode", "cause"),
    [
        pytest.param(b"rien", 0o600, "key unreadable", id="no key"),
        pytest.param(b"", 0o644, "key open", id="others read it"),
        pytest.param(pem(1024), 0o600, "key short", id="1024 bits"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_once_and_the_dns_is_not_blamed(
    content: bytes, mode: int, cause: str, relay: Relay, tmp_path: Path
) -> None:
    key_file(tmp_path, content, mode)
    found = _asked(relay, _other())
    assert (found[Check.SIGNING].state, found[Check.SIGNING].cause) == (State.MEND, cause)
    assert (found[Check.DKIM].state, found[Check.DKIM].cause) == (State.UNKNOWN, "no key")


def test_without_a_key_the_relay_signs_and_its_names_are_looked_up(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DKIM_KEY_FILE")
    monkeypatch.delenv("DKIM_SELECTOR")
    found = _asked(Relay.read(), _other())
    assert (found[Check.SIGNING].state, found[Check.SIGNING].cause) == (State.FINE, "relay")
    assert found[Check.DKIM].detail["selector"] == "s9"
