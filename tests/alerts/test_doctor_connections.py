"""Relay, bounce mailbox and pages as they answer to `alertes verifier`: real ones, all of them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from alerts import delivery
from alerts.delivery import Relay
from alerts.doctor import connection_checks
from alerts.doctor.connection_checks import check_mailbox, check_pages, check_relay
from alerts.doctor.findings import Finding, State
from alerts.mailbox import Imap, Mailbox, Maildir
from base import heartbeat
from base.clock import utc_now
from base.database import connect
from scripts.doctor_words import sentence
from tests.imapserver import Folder, imap_server
from tests.mailserver import Act, Script, drop, mail_server, scripted_server, silence
from tests.webpages import pages, served
from tests.webserver import Page, web_server

SECRET = "canari-secret"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def _tls(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def _relay(port: int, ca_file: Path | None, *, tls: str = "starttls", user: str = "u") -> Relay:
    return Relay(
        host="localhost",
        port=port,
        tls=tls,
        user=user,
        password=SECRET if user else "",
        ca_file=ca_file,
        helo="essai",
    )


def _is(finding: Finding, state: State, cause: str) -> bool:
    """That finding, said in French without a secret."""
    assert SECRET not in sentence(finding)
    assert "canari" not in sentence(finding)
    return (finding.state, finding.cause) == (state, cause)


async def test_a_good_relay_hears_auth_and_noop_and_no_letter(
    authority: trustme.CA, ca_file: Path
) -> None:
    script = Script(tls=_tls(authority), extensions=("AUTH PLAIN",), acts={"other": "250 ok"})
    async with scripted_server(script):
        found = await check_relay(_relay(script.port, ca_file))
    assert _is(found, State.FINE, "fine")
    words = [line.split(b" ")[0] for line in script.heard]
    assert words == [b"EHLO", b"STARTTLS", b"EHLO", b"AUTH", b"EHLO", b"NOOP", b"QUIT"]


async def test_a_real_server_is_fine_without_a_password_and_in_clear_at_home(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with mail_server(_tls(authority)) as mailbox:
        encrypted = await check_relay(_relay(mailbox.port, ca_file, user=""))
        at_home = await check_relay(_relay(mailbox.port, None, tls="none", user=""))
    assert _is(encrypted, State.FINE, "no user")
    assert _is(at_home, State.FINE, "loopback")
    assert mailbox.received == []


WRONG: list[tuple[dict[str, Act], tuple[str, ...], State, str]] = [
    ({"auth": "535 5.7.8 bad"}, ("AUTH PLAIN",), State.MEND, "credentials"),
    ({"auth": "454 4.7.0 later"}, ("AUTH PLAIN",), State.UNKNOWN, "busy"),
    ({"banner": "421 4.3.2 busy"}, (), State.UNKNOWN, "busy"),
    ({"banner": "554 5.7.1 blocked"}, (), State.MEND, "refused"),
    ({"banner": drop}, (), State.MEND, "unreachable"),
    ({"starttls": "454 4.7.0 not now"}, (), State.MEND, "no encryption"),
    ({"other": "421 bye"}, ("AUTH PLAIN",), State.UNKNOWN, "busy"),
    ({"other": drop}, ("AUTH PLAIN",), State.UNKNOWN, "busy"),
    ({}, (), State.MEND, "no authentication"),
]


@pytest.mark.parametrize(("acts", "extensions", "state", "cause"), WRONG)
async def test_each_refusal_has_its_own_sentence(
    authority: trustme.CA,
    ca_file: Path,
    acts: dict[str, Act],
    extensions: tuple[str, ...],
    state: State,
    cause: str,
) -> None:
    async with scripted_server(Script(acts, tls=_tls(authority), extensions=extensions)) as script:
        found = await check_relay(_relay(script.port, ca_file))
    assert _is(found, state, cause)


async def test_a_relay_that_does_not_encrypt_or_cannot_be_trusted_hears_no_password(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with scripted_server(Script(extensions=("AUTH PLAIN",))) as script:
        assert _is(await check_relay(_relay(script.port, ca_file)), State.MEND, "no encryption")
    other = Script(tls=_tls(trustme.CA()), extensions=("AUTH PLAIN",))
    async with scripted_server(other):
        assert _is(await check_relay(_relay(other.port, ca_file)), State.MEND, "untrusted")
    assert not any(b"AUTH" in line for line in (*script.heard, *other.heard))


async def test_nobody_at_that_port_and_nobody_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _is(await check_relay(_relay(1, None)), State.MEND, "unreachable")
    monkeypatch.setattr(connection_checks, "RELAY_WITHIN", 0.3)
    monkeypatch.setattr(delivery, "CONNECT_WITHIN", 30.0)
    async with scripted_server(Script({"banner": silence})) as script:
        assert _is(await check_relay(_relay(script.port, None)), State.MEND, "silent")


def _box(box: Mailbox | None) -> Finding:
    (found,) = check_mailbox(box)
    return found


def test_a_mailbox_is_opened_and_nothing_in_it_is_marked(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "boite" / name).mkdir(parents=True)
    (tmp_path / "boite" / "new" / "1.a").write_bytes(b"Subject: retour\r\n\r\n")
    assert _is(_box(Maildir(tmp_path / "boite")), State.FINE, "fine")
    assert (tmp_path / "boite" / "new" / "1.a").exists()
    with imap_server(Folder([b"Subject: retour\r\n\r\n"]), _tls(authority)) as folder:
        known = {"host": "localhost", "user": "u", "port": folder.port, "ca_file": ca_file}
        good = Imap(password="canari-imap", **known)  # type: ignore[arg-type]
        wrong = Imap(password="canari-faux", **known)  # type: ignore[arg-type]
        assert _is(_box(good), State.FINE, "fine")
        assert _is(_box(wrong), State.MEND, "unreadable")
    assert folder.seen == set()


def test_a_mailbox_that_is_not_there_or_not_named(tmp_path: Path) -> None:
    assert _is(_box(Maildir(tmp_path / "absente")), State.MEND, "unreadable")
    assert _is(_box(None), State.MEND, "none")


def _pages(url: str) -> Finding:
    (found,) = check_pages(url)
    return found


def test_our_own_pages_say_whether_the_service_is_at_work(
    sqlite_template: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "base.sqlite3"
    copy.write_bytes(sqlite_template.read_bytes())
    store = connect(f"sqlite:///{copy}")
    with served(pages(store, tmp_path)) as root:
        assert _is(_pages(root), State.MEND, "no service")
    with store.write() as session:
        heartbeat.beat(session, "service", at=utc_now())
    with served(pages(store, tmp_path)) as root:
        assert _is(_pages(root), State.FINE, "fine")
    store.dispose()
    copy.write_bytes(b"")
    with served(pages(connect(f"sqlite:///{copy}"), tmp_path)) as root:
        assert _is(_pages(root), State.MEND, "no database")
    assert _is(_pages(root), State.MEND, "unreachable")


ANSWERS = [
    ({"/sante": Page(body=b'{"etat": "ok"}')}, "no privacy"),
    ({"/sante": Page(body=b"ok")}, "another"),
    ({"/sante": Page(body=b"<html>Bienvenue chez nginx")}, "another"),
    ({}, "another"),
    ({"/sante": Page(status=301, headers={"Location": "https://ailleurs.exemple"})}, "elsewhere"),
    ({"/sante": Page(body=b"ok", late=1.0)}, "slow"),
]


@pytest.mark.parametrize(("answers", "cause"), ANSWERS)
def test_another_s_pages_are_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Page], cause: str
) -> None:
    monkeypatch.setattr(connection_checks, "PAGE_WITHIN", 0.5)
    with web_server() as site:
        site.pages |= answers
        assert _is(_pages(site.url), State.MEND, cause)


def test_pages_behind_a_certificate_that_does_not_hold(authority: trustme.CA) -> None:
    with imap_server(Folder(), _tls(authority)) as folder:
        assert _is(_pages(f"https://localhost:{folder.port}"), State.MEND, "untrusted")
