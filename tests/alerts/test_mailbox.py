"""The bounce mailbox is read over verified TLS or from a Maildir, and nothing is lost of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from alerts import inbound
from alerts.errors import MailboxUnreadable
from alerts.mailbox import Imap, Mailbox, Maildir, mailbox
from base.errors import SettingInvalid
from base.settings import Relay, Returns
from tests.imapserver import Folder, imap_server

TWO = [b"Subject: un\r\n\r\nun\r\n", b"Subject: deux\r\n\r\n" + b"x" * 300_000]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def _context(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def _imap(folder: Folder, ca_file: Path | None) -> Imap:
    return Imap(
        host="localhost",
        user="retours@exemple.quebec",
        password="canari-imap",
        port=folder.port,
        ca_file=ca_file,
    )


def _read(box: Mailbox) -> list[bytes]:
    with box.open() as opened:
        found = []
        for one in opened.unread():
            found.append(one.content)
            opened.mark_read(one.key)
        return found


def test_an_imap_mailbox_is_read_once_and_no_further_than_the_limit(
    authority: trustme.CA, ca_file: Path
) -> None:
    with imap_server(Folder(list(TWO)), _context(authority)) as folder:
        assert _read(_imap(folder, ca_file)) == [TWO[0], TWO[1][: inbound.LARGEST]]
        assert _read(_imap(folder, ca_file)) == []
    assert folder.seen == {1, 2}


def test_a_message_is_marked_only_when_its_reader_says_so(
    authority: trustme.CA, ca_file: Path
) -> None:
    with imap_server(Folder(list(TWO)), _context(authority)) as folder:
        with _imap(folder, ca_file).open() as opened:
            assert len(list(opened.unread())) == 2
        assert len(_read(_imap(folder, ca_file))) == 2


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(lambda ca: _context(ca, "autre.exemple.quebec"), id="another name"),
        pytest.param(lambda _: _context(trustme.CA()), id="unknown authority"),
    ],
)
def test_an_imap_server_that_cannot_be_trusted_hears_no_password(
    authority: trustme.CA, ca_file: Path, context: Callable[[trustme.CA], ssl.SSLContext]
) -> None:
    served = imap_server(Folder(list(TWO)), context(authority))
    with served as folder, pytest.raises(MailboxUnreadable):
        _read(_imap(folder, ca_file))
    assert folder.heard == []


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param({"LOGIN": b"NO canari-imap refused"}, id="LOGIN refused, secret echoed"),
        pytest.param({"SELECT": b"NO no such folder"}, id="no folder"),
        pytest.param({"UID": b"BAD what"}, id="SEARCH refused"),
    ],
)
def test_what_an_imap_server_refuses_is_said_without_the_password(
    authority: trustme.CA, ca_file: Path, replies: dict[str, bytes]
) -> None:
    served = imap_server(Folder(list(TWO), replies=replies), _context(authority))
    with served as folder, pytest.raises(MailboxUnreadable) as caught:
        _read(_imap(folder, ca_file))
    assert "canari" not in f"{caught.value} {_imap(folder, ca_file)!r}"
    assert folder.seen == set()


def test_an_absent_server_is_unreadable(authority: trustme.CA, ca_file: Path) -> None:
    with imap_server(Folder(), _context(authority)) as folder:
        pass
    with pytest.raises(MailboxUnreadable):
        _read(_imap(folder, ca_file))


def test_a_maildir_is_read_oldest_first_and_folders_in_it_are_left(tmp_path: Path) -> None:
    (tmp_path / "new" / "3.dossier").mkdir(parents=True)
    (tmp_path / "new" / "2.b").write_bytes(TWO[1])
    (tmp_path / "new" / "1.a").write_bytes(TWO[0])
    assert _read(Maildir(tmp_path)) == [TWO[0], TWO[1][: inbound.LARGEST]]
    assert _read(Maildir(tmp_path)) == []


def test_a_message_that_another_reader_took_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with Maildir(tmp_path).open() as opened:
        opened.mark_read("1.parti")
    assert list(tmp_path.rglob("1.parti*")) == []


def test_an_absent_maildir_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(MailboxUnreadable):
        _read(Maildir(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", None),
        ("maildir:/var/mail/retours", Maildir(Path("/var/mail/retours"))),
        (
            "imaps://retours@exemple.quebec@imap.exemple.quebec",
            Imap(host="imap.exemple.quebec", user="retours@exemple.quebec", password="s"),
        ),
        (
            "imaps://retours@imap.exemple.quebec:1993/Retours%20lus",
            Imap(
                host="imap.exemple.quebec",
                user="retours",
                password="s",
                port=1993,
                folder="Retours lus",
            ),
        ),
    ],
)
def test_the_setting_names_a_mailbox(
    address: str, expected: Mailbox | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOUNCE_MAILBOX", address)
    assert mailbox(Returns.read().bounce_mailbox, "s") == expected


@pytest.mark.parametrize(
    "address",
    ["/var/mail", "maildir:retours", "imap://a@b", "imaps://imap.exemple.quebec", "imaps://a@b:x/"],
)
def test_another_setting_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOUNCE_MAILBOX", address)
    with pytest.raises(SettingInvalid):
        Returns.read()


@pytest.mark.parametrize("address", ["retours", "a" * 31 + "@exemple.quebec", "re+tours@x.quebec"])
def test_a_bounce_address_without_room_for_a_tag_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SMTP_HOST", "AUTHOR_EMAIL", "LIST_DOMAIN"):
        monkeypatch.setenv(name, "localhost")
    monkeypatch.setenv("BOUNCE_EMAIL", address)
    with pytest.raises(SettingInvalid):
        Relay.read()
