"""A document from the network: conditional, limited in time and size, from public hosts only."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import socket
import ssl
import tempfile
import zlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.metadata import version
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx2

from sources.decoding import Decoding, Gzip, Identity
from sources.errors import SourceError, SourceMalformed, SourceUnreachable
from sources.reasons import Reason

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_DAY = 86_400.0
#: The only IPv6 addresses that are given to hosts of the public network (RFC 4291); the others
#: are local, or wrap an address of another kind.
_UNICAST = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Seconds and bytes beyond which an answer is given up."""

    connect: float = 10
    #: Between two pieces of the answer.
    read: float = 30
    #: For the whole, redirects and name resolution included.
    total: float = 120
    #: As it comes over the network.
    raw: int = 50 * 1024 * 1024
    #: Decompressed.
    decoded: int = 200 * 1024 * 1024
    #: Decompressed bytes for one that came: JSON reaches 30, a bomb 1000.
    ratio: int = 100
    redirects: int = 3


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A whole answer, in a temporary file without a name: closing it removes it."""

    file: BinaryIO
    sha256: str
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The source answered 304: what we have is still what it has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    source: str
    headers: dict[str, str]
    limits: Limits
    loopback: bool


def get(
    source: str,
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    contact: str = "",
    limits: Limits = LIMITS,
    loopback: bool = False,
) -> Fetched | Unchanged:
    """Ask for `url`; with `etag` or `last_modified`, only for what is newer.

    Each address, that of a redirect too, must be https, and all that its host resolves to must be
    public; the connection goes to the very address that was checked. `loopback` is for tests: it
    allows http, and 127.0.0.1 and ::1 alone. Proxies of the environment are not used. Not to be
    called from a running event loop.

    Raises:
        SourceUnreachable: no answer, too slow, 429 or 5xx.
        SourceMalformed: refused address, other status, wrong size, too large, wrong encoding.
    """
    headers = {"User-Agent": _user_agent(contact), "Accept-Encoding": "gzip", "Accept": "*/*"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    question = _Question(source=source, headers=headers, limits=limits, loopback=loopback)
    try:
        return asyncio.run(_within_time(question, url))
    except (TimeoutError, httpx2.TimeoutException):
        raise SourceUnreachable(source, Reason.TOO_SLOW.of(_host(url))) from None
    except (httpx2.InvalidURL, UnicodeError):
        raise SourceMalformed(source, Reason.REFUSED_ADDRESS.of(_host(url))) from None
    except (httpx2.TransportError, OSError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceUnreachable(source, Reason.NO_ANSWER.of(f"{_host(url)}: {error}")) from None


def _user_agent(contact: str) -> str:
    told = " ".join(re.findall("[!-~]+", contact))
    return f"alertes/{version('alertes')} ({told})" if told else f"alertes/{version('alertes')}"


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The certificate authorities, read once: they take a tenth of a second."""
    return httpx2.create_ssl_context(trust_env=False)


async def _within_time(question: _Question, url: str) -> Fetched | Unchanged:
    limits = question.limits
    timeout = httpx2.Timeout(limits.read, connect=limits.connect)
    async with (
        asyncio.timeout(limits.total),
        httpx2.AsyncClient(
            trust_env=False, verify=_tls(), timeout=timeout, follow_redirects=False
        ) as client,
    ):
        for _ in range(limits.redirects + 1):
            answer = await _ask(client, question, url)
            if not isinstance(answer, str):
                return answer
            url = answer
    raise SourceMalformed(question.source, Reason.TOO_MANY_REDIRECTS.of(_host(url)))


async def _ask(
    client: httpx2.AsyncClient, question: _Question, url: str
) -> Fetched | Unchanged | str:
    """The answer, or where it says that the document is now."""
    address = await _allowed(question, url)
    asked = httpx2.URL(url)
    headers = question.headers | {"Host": asked.netloc.decode("ascii")}
    # Connects to the address that was checked, and verifies the certificate for the name.
    pinned = asked.copy_with(host=address)
    extensions = {"sni_hostname": asked.host}
    async with client.stream("GET", pinned, headers=headers, extensions=extensions) as response:
        status = response.status_code
        if status in _REDIRECTS and "location" in response.headers:
            return str(asked.join(response.headers["location"]))
        if status == 304 and headers.keys() & {"If-None-Match", "If-Modified-Since"}:
            return Unchanged()
        if status >= 500 or status in _BUSY:
            busy = Reason.BUSY.of(status)
            raise SourceUnreachable(question.source, busy, retry_after=_retry_after(response))
        if status != 200:
            raise SourceMalformed(question.source, Reason.WRONG_STATUS.of(status))
        return await _received(question, response)


async def _received(question: _Question, response: httpx2.Response) -> Fetched:
    encoding = response.headers.get("content-encoding", "").strip().casefold()
    if encoding not in {"", "identity", "gzip"}:
        raise SourceMalformed(question.source, Reason.WRONG_ENCODING.of(encoding))
    decoding = Gzip() if encoding == "gzip" else Identity()
    file = tempfile.TemporaryFile()  # noqa: SIM115, the caller closes it
    try:
        digest = await _stream(question, response, decoding, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return Fetched(
        file=file,
        sha256=digest,
        etag=_kept(response, "etag", 255),
        last_modified=_kept(response, "last-modified", 64),
    )


async def _stream(
    question: _Question, response: httpx2.Response, decoding: Decoding, file: BinaryIO
) -> str:
    """Write the answer to `file`; its SHA-256."""
    limits, digest, raw, size = question.limits, hashlib.sha256(), 0, 0
    try:
        async for coming in response.aiter_raw():
            raw += len(coming)
            for piece in decoding.feed(coming):
                size += len(piece)
                bomb = size > 1024 * 1024 and size > limits.ratio * raw
                if raw > limits.raw or size > limits.decoded or bomb:
                    raise SourceMalformed(question.source, Reason.TOO_LARGE.of(f"{raw} -> {size}"))
                digest.update(piece)
                file.write(piece)
    except (httpx2.RemoteProtocolError, zlib.error) as error:
        raise SourceMalformed(question.source, Reason.WRONG_SIZE.of(error)) from None
    if not decoding.is_whole:
        raise SourceMalformed(question.source, Reason.WRONG_SIZE.of("gzip without its end"))
    return digest.hexdigest()


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds that the server asks to be left alone, a day at most; a date is one by its clock."""
    written = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", written):
        return min(float(written), _DAY)
    try:
        until = parsedate_to_datetime(written)
        asked = parsedate_to_datetime(response.headers.get("date", ""))
        return min(max((until - asked).total_seconds(), 0), _DAY)
    except (ValueError, TypeError):
        return None


def _kept(response: httpx2.Response, header: str, limit: int) -> str:
    """A validator to give back, "" where it is too long to be kept."""
    value = str(response.headers.get(header, ""))
    return value if len(value) <= limit else ""


async def _allowed(question: _Question, url: str) -> str:
    """The one address to connect to; raises SourceMalformed for an address that is refused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SourceMalformed(question.source, Reason.REFUSED_ADDRESS.of(url[:80])) from None
    schemes = {"http", "https"} if question.loopback else {"https"}
    if parts.scheme not in schemes or not host or "@" in parts.netloc:
        raise SourceMalformed(question.source, Reason.REFUSED_ADDRESS.of(url[:80]))
    if not question.loopback and port not in {None, 443}:
        raise SourceMalformed(question.source, Reason.REFUSED_ADDRESS.of(f"{host}:{port}"))
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    right = _is_loopback if question.loopback else _is_public
    if not addresses or not all(map(right, addresses)):
        raise SourceMalformed(question.source, Reason.REFUSED_ADDRESS.of(host))
    return str(min(addresses, key=lambda address: address.version))


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _is_loopback(address: _Address) -> bool:
    return address.is_loopback


def _is_public(address: _Address) -> bool:
    """Neither private nor a wrapping of an address of another kind."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _UNICAST or address.sixtofour or address.teredo
    ):
        return False
    return address.is_global and not address.is_multicast


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:80]
    except ValueError:
        return url[:80]
