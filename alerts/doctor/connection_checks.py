"""What answers at the other end: the relay, the mailbox of what comes back, the pages."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator

import httpx2

from alerts.connections import Connections
from alerts.delivery import Relay
from alerts.doctor.findings import Check, Finding, fine, mend, unknown
from alerts.errors import MailboxUnreadable, RelayMisconfigured, RelayUnreachable
from alerts.mailbox import Mailbox

#: Seconds for the relay, from the connection to the answer to NOOP, and for one page.
RELAY_WITHIN, PAGE_WITHIN = 20.0, 8.0
#: Authentication refused (RFC 4954, 6), as its reply begins.
_CREDENTIALS = re.compile(r"53[0458]\b|550 5\.7\.[38]")


async def check_relay(relay: Relay) -> Finding:
    """Connect, encrypt, authenticate and say NOOP, as a letter would; none is begun."""
    connections = Connections(relay, letters_a_connection=1)
    try:
        async with asyncio.timeout(RELAY_WITHIN):
            connection = await connections.take()
            answered = await connection.noop()
            await connections.put(connection)
    except TimeoutError:
        return mend(Check.RELAY, "silent", host=relay.host, port=relay.port)
    except (RelayMisconfigured, RelayUnreachable) as error:
        return fault(relay, error)
    if not answered:
        return unknown(Check.RELAY, "busy", host=relay.host)
    cause = "loopback" if relay.tls == "none" else "fine" if relay.user else "no user"
    return fine(Check.RELAY, cause, host=relay.host)


def fault(relay: Relay, error: RelayMisconfigured | RelayUnreachable) -> Finding:
    """What a connection that was not to be had says of the relay."""
    kind = _misconfigured if isinstance(error, RelayMisconfigured) else _unreachable
    return kind(relay, str(error))


def _misconfigured(relay: Relay, words: str) -> Finding:
    if "cannot be trusted" in words:
        return mend(Check.RELAY, "untrusted", host=relay.host, words=words.partition(": ")[2])
    if _CREDENTIALS.match(words):
        return mend(Check.RELAY, "credentials", host=relay.host, words=words)
    if "STARTTLS" in words.upper():
        return mend(Check.RELAY, "no encryption", host=relay.host)
    if "AUTH" in words.upper():
        return mend(Check.RELAY, "no authentication", host=relay.host)
    return mend(Check.RELAY, "refused", host=relay.host, words=words)


def _unreachable(relay: Relay, words: str) -> Finding:
    if re.match(r"4\d\d\b", words):
        return unknown(Check.RELAY, "busy", host=relay.host)
    return mend(Check.RELAY, "unreachable", host=relay.host, port=relay.port)


def check_mailbox(mailbox: Mailbox | None) -> Iterator[Finding]:
    """What comes back is read somewhere, and that mailbox opens; nothing in it is marked."""
    if mailbox is None:
        yield mend(Check.BOUNCES, "none")
        return
    try:
        with mailbox.open() as opened:
            next(opened.unread(), None)
    except MailboxUnreadable as error:
        yield mend(Check.BOUNCES, "unreadable", words=str(error))
    else:
        yield fine(Check.BOUNCES)


def check_pages(public_url: str) -> Iterator[Finding]:
    """Our own pages answer at that address, encrypted by a certificate that holds."""
    try:
        # Neither proxies of the environment nor redirects: a one-click POST follows none.
        with httpx2.Client(timeout=PAGE_WITHIN, trust_env=False) as client:
            alive = client.get(f"{public_url}/sante")
            privacy = client.get(f"{public_url}/confidentialite")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        yield mend(Check.PAGES, _page_fault(error), url=public_url)
        return
    state = _state(alive)
    if state is None:
        cause = "elsewhere" if alive.is_redirect else "another"
        yield mend(Check.PAGES, cause, url=public_url, status=alive.status_code)
    elif privacy.status_code != 200:
        yield mend(Check.PAGES, "no privacy", url=public_url, status=privacy.status_code)
    elif state.get("base") != "ok":
        yield mend(Check.PAGES, "no database", url=public_url)
    elif state["etat"] != "ok":
        yield mend(Check.PAGES, "no service", url=public_url)
    else:
        yield fine(Check.PAGES, url=public_url)


def _state(answer: httpx2.Response) -> dict[str, object] | None:
    """What our own /sante says; None where it is another's answer."""
    try:
        said = answer.json()
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.get("etat") in {"ok", "panne"} else None


def _page_fault(error: BaseException | None) -> str:
    """Why there was no answer, from the error and what caused it."""
    if isinstance(error, httpx2.TimeoutException):
        return "slow"
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return "untrusted"
        error = error.__cause__ or error.__context__
    return "unreachable"
