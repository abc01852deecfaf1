"""DKIM: every letter's signature holds, and breaks with anything that it covers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from alerts import assembly
from alerts.errors import LetterUnwritable
from alerts.letter import Press, compose
from alerts.signing import Signer
from base.errors import SettingInvalid
from base.fault_words import in_french
from base.settings import Identity, Keys, Relay, Store
from tests.coop import AT
from tests.emails.gallery import CASES, LETTERS, LINKS, SENDER
from tests.emails.notes import NOTES, note
from tests.signatures import (
    AUTHOR,
    DOMAIN,
    SELECTOR,
    holds,
    key_file,
    opendkim_lacks,
    opendkim_verifies,
    pem,
    signer,
    verified,
)


def _content(name: str) -> bytes:
    if name in NOTES:
        return note(name, SENDER, LINKS).content
    to = "ariane@exemple.quebec"
    return compose(Press.of(SENDER), CASES[name](), LINKS, recipient=to, key=name, at=AT).content


WHO = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
    "JOURNAL_FILE": "handover.journal",
}
#: A letter with every header that one may have.
WHOLE = "un-peu-de-tout"


@pytest.mark.parametrize("name", LETTERS)
def test_the_signature_of_every_letter_is_verified_by_two_that_share_no_line(
    name: str, tmp_path: Path
) -> None:
    ours = signer(tmp_path)
    unsigned = _content(name)
    content = ours.signed(unsigned)
    assert content.endswith(unsigned)
    assert max(map(len, content[: -len(unsigned)].split(b"\r\n"))) <= 78
    assert verified(content, ours)
    assert holds(content, ours)


@pytest.mark.skipif(bool(opendkim_lacks()), reason=opendkim_lacks())
def test_opendkim_verifies_a_letter_and_refuses_a_changed_one(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    content = ours.signed(_content(WHOLE))
    assert opendkim_verifies(content, ours, tmp_path)
    changed = content.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Clicks")
    assert not opendkim_verifies(changed, ours, tmp_path)


COVERED = (
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"),
)


def _broken(content: bytes, ours: Signer) -> bool:
    found = {verified(content, ours), holds(content, ours)}
    assert len(found) == 1, "two verifiers disagree"
    return found == {False}


@pytest.mark.parametrize("name", COVERED)
def test_a_header_that_is_changed_or_taken_out_breaks_the_signature(
    name: str, tmp_path: Path
) -> None:
    ours = signer(tmp_path)
    content = ours.signed(_content(WHOLE))
    header = re.compile(rb"(?im)^" + name.encode() + rb": .*\r\n(?: .*\r\n)*")
    assert len(header.findall(content.partition(b"\r\n\r\n")[0] + b"\r\n")) == 1
    changed = header.sub(lambda found: found[0][:-2] + b"x\r\n", content, count=1)
    assert _broken(changed, ours)
    assert _broken(header.sub(b"", content, count=1), ours)


@pytest.mark.parametrize(
    "added",
    [
        b"From: autre@coop.exemple.quebec\r\n",
        b"To: autre@exemple.quebec\r\n",
        b"Subject: autre\r\n",
        b"Date: Mon, 21 Sep 2026 11:00:00 +0000\r\n",
        b"List-Unsubscribe: <https://autre.exemple.quebec/>\r\n",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    ],
)
@pytest.mark.parametrize("letter", [WHOLE, "adresse-changee"])
def test_a_second_header_that_readers_may_take_for_ours_breaks_it(
    added: bytes, letter: str, tmp_path: Path
) -> None:
    ours = signer(tmp_path)
    content = ours.signed(_content(letter))
    assert _broken(added + content, ours)


def test_what_servers_on_the_way_add_and_refold_leaves_it_whole(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    content = ours.signed(_content(WHOLE))
    received = b"Received: from a by b;\r\n\tMon, 21 Sep 2026 10:00:01 +0000\r\n"
    refolded = content.replace(b"\r\n boundary=", b"\r\n\t  boundary=")
    assert refolded != content
    for same in (received + content, refolded, content + b"\r\n\r\n"):
        assert verified(same, ours)
        assert holds(same, ours)


def test_a_changed_body_breaks_it(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    content = ours.signed(_content(WHOLE))
    head, _, body = content.partition(b"\r\n\r\n")
    assert _broken(head + b"\r\n\r\n" + body.replace(b"https://", b"http://", 1), ours)
    assert _broken(content + b"et encore\r\n", ours)


def test_the_domain_is_the_author_s_whatever_its_letters(tmp_path: Path) -> None:
    made = Signer.of(key_file(tmp_path), selector=SELECTOR, author="Alertes@COOP.exemple.quebec")
    assert made.domain == DOMAIN


def test_headers_that_cannot_be_told_apart_are_refused_without_being_quoted(
    tmp_path: Path,
) -> None:
    with pytest.raises(LetterUnwritable) as refused:
        signer(tmp_path).signed(b"Subject: essai\r\npas un champ\r\n\r\ncorps\r\n")
    assert "champ" not in str(refused.value)


def _rewritten(form: PrivateFormat, password: bytes = b"") -> bytes:
    key = load_pem_private_key(pem(), None)
    kept = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, kept)


def test_both_ways_in_which_openssl_writes_a_key_sign(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    file = key_file(tmp_path / "old", _rewritten(PrivateFormat.TraditionalOpenSSL))
    old = Signer.of(file, selector=SELECTOR, author=AUTHOR)
    assert old == signer(tmp_path)


_CURVE = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        pytest.param(b"pas une clef", 0o600, "key unreadable", id="no key"),
        pytest.param(_CURVE, 0o600, "key unreadable", id="not RSA"),
        pytest.param(
            _rewritten(PrivateFormat.PKCS8, b"mot de passe"), 0o600, "key unreadable", id="locked"
        ),
        pytest.param(pem(1024), 0o600, "key short", id="1024 bits"),
        pytest.param(b"", 0o604, "key open", id="others read it"),
        pytest.param(b"", 0o620, "key open", id="its group writes it"),
    ],
)
def test_a_key_that_cannot_be_used_is_a_setting_to_correct(
    content: bytes, mode: int, reason: str, tmp_path: Path
) -> None:
    file = key_file(tmp_path, content, mode)
    with pytest.raises(SettingInvalid) as refused:
        Signer.of(file, selector=SELECTOR, author=AUTHOR)
    assert (refused.value.name, refused.value.reason) == ("DKIM_KEY_FILE", reason)
    assert refused.value.__cause__ is None
    assert "2048" in in_french(refused.value)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_the_service_or_its_group_alone_may_read_the_key(mode: int, tmp_path: Path) -> None:
    made = Signer.of(key_file(tmp_path, mode=mode), selector=SELECTOR, author=AUTHOR)
    assert (made.domain, made.selector) == (DOMAIN, SELECTOR)
    assert made.public == signer(tmp_path).public


def test_the_key_is_never_shown(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(signer(tmp_path))
    assert "key=" not in repr(signer(tmp_path))


def _relay(monkeypatch: pytest.MonkeyPatch, **more: str) -> Relay:
    values = {
        "SMTP_HOST": "relais.exemple.quebec",
        "AUTHOR_EMAIL": AUTHOR,
        "BOUNCE_EMAIL": "retours@coop.exemple.quebec",
        "LIST_DOMAIN": DOMAIN,
        **more,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Relay.read()


def test_the_relay_signs_unless_a_key_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert assembly.signing(_relay(monkeypatch)).signer is None
    named = {"DKIM_KEY_FILE": str(key_file(tmp_path)), "DKIM_SELECTOR": "Alertes2026"}
    relay = assembly.signing(_relay(monkeypatch, **named))
    assert relay.signer == signer(tmp_path)
    assert "PRIVATE" not in repr(relay)


def test_every_way_to_a_relay_is_made_with_what_signs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    named = {"DKIM_KEY_FILE": str(key_file(tmp_path)), "DKIM_SELECTOR": SELECTOR}
    relay, identity = _relay(monkeypatch, **named), Identity.read()
    handing = assembly.handing(relay, Keys.read(), Store.read())
    door = assembly.door(identity, relay, "equipe@coop.exemple.quebec")
    assert [one.relay.signer for one in (handing, door)] == [signer(tmp_path)] * 2


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        pytest.param({"DKIM_SELECTOR": "s1"}, "DKIM_SELECTOR", id="a name without a key"),
        pytest.param({"DKIM_KEY_FILE": "dkim.pem"}, "DKIM_SELECTOR", id="a key without a name"),
        pytest.param(
            {"DKIM_KEY_FILE": "absente.pem", "DKIM_SELECTOR": "s1"}, "DKIM_KEY_FILE", id="no file"
        ),
        pytest.param(
            {"DKIM_KEY_FILE": "dkim.pem", "DKIM_SELECTOR": "s 1; p=x"},
            "DKIM_SELECTOR",
            id="no name for the DNS",
        ),
        pytest.param(
            {"DKIM_KEY_FILE": "dkim.pem", "DKIM_SELECTOR": "s1."}, "DKIM_SELECTOR", id="a dot"
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_french(
    settings: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key_file(tmp_path)
    with pytest.raises(SettingInvalid) as refused:
        _relay(monkeypatch, **settings)
    assert refused.value.name == name
    assert f"Réglage incorrect\u00a0: {name}. Il faut" in in_french(refused.value)
