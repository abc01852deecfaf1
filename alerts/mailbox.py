"""Where returned mail arrives: a Maildir on this machine, or an IMAP mailbox over verified TLS.

Messages are never deleted: one that was read is marked so, and stays for a person to open.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from alerts.errors import MailboxUnreadable
from alerts.inbound import LARGEST

#: Messages read in one visit, and seconds for each answer of an IMAP server.
MOST, IMAP_WITHIN = 500, 30.0


@dataclass(frozen=True, slots=True)
class Unread:
    """One message that was not read yet."""

    key: str
    #: Its first `LARGEST` octets.
    content: bytes


class Opened(Protocol):
    """A mailbox that is open."""

    def unread(self) -> Iterator[Unread]:
        """At most `MOST` unread messages, the oldest first."""

    def mark_read(self, key: str) -> None:
        """Not to be read again; a message that has gone meanwhile is nothing."""


class Mailbox(Protocol):
    """Where returned mail arrives."""

    def open(self) -> AbstractContextManager[Opened]:
        """Open it.

        Raises:
            MailboxUnreadable: it is not there, not ours to read, or cannot be trusted.
        """


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir: new messages are in new/, read ones in cur/ with the flag S."""

    path: Path

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """See `Mailbox.open`."""
        try:
            yield _Folder(self.path)
        except OSError as error:
            raise MailboxUnreadable(f"maildir: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def unread(self) -> Iterator[Unread]:
        # Oldest first: a Maildir name begins with the second of its arrival.
        for file in sorted((self.path / "new").iterdir(), key=lambda one: one.name)[:MOST]:
            with suppress(FileNotFoundError, IsADirectoryError), file.open("rb") as opened:
                yield Unread(file.name, opened.read(LARGEST))

    def mark_read(self, key: str) -> None:
        (self.path / "cur").mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            (self.path / "new" / key).rename(self.path / "cur" / f"{key}:2,S")


@dataclass(frozen=True, kw_only=True, slots=True)
class Imap:
    """An IMAP mailbox over TLS from the first octet (RFC 8314), its certificate verified."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 993
    folder: str = "INBOX"
    #: A file with the server's own certificate authority; None for the system's.
    ca_file: Path | None = None

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """See `Mailbox.open`."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            with imaplib.IMAP4_SSL(
                self.host, self.port, ssl_context=context, timeout=IMAP_WITHIN
            ) as client:
                client.login(self.user, self.password)
                _good(client.select(_quoted(self.folder)))
                yield _Selected(client)
        except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
            # Without its traceback, which may hold the password.
            raise MailboxUnreadable(f"imap: {error}".replace(self.password, "…")) from None


@dataclass(frozen=True, slots=True)
class _Selected:
    client: imaplib.IMAP4

    def unread(self) -> Iterator[Unread]:
        found = _good(self.client.uid("SEARCH", "UNSEEN"))
        for uid in (found[0] if isinstance(found[0], bytes) else b"").split()[:MOST]:
            name = uid.decode("ascii")
            # PEEK: it is marked only once what it says is kept.
            answer = _good(self.client.uid("FETCH", name, f"(BODY.PEEK[]<0.{LARGEST}>)"))
            parts = [one[1] for one in answer if isinstance(one, tuple)]
            if parts and isinstance(parts[0], bytes):
                yield Unread(name, parts[0][:LARGEST])

    def mark_read(self, key: str) -> None:
        _good(self.client.uid("STORE", key, "+FLAGS.SILENT", r"(\Seen)"))


def mailbox(address: str, password: str) -> Mailbox | None:
    """The mailbox that BOUNCE_MAILBOX names; None where it is empty."""
    parts = urlsplit(address)
    if not address:
        return None
    if parts.scheme == "maildir":
        return Maildir(Path(unquote(parts.path)))
    return Imap(
        host=parts.hostname or "",
        user=unquote(parts.username or ""),
        password=password,
        port=parts.port or 993,
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _good(answer: tuple[str, Sequence[object]]) -> Sequence[object]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"{status} {data[:1]!r}")
    return data


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
