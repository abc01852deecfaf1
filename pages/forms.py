"""What a form sent: read within limits, refused where it is not ours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from base.text import clean
from pages.site import Site

#: The longest form, every sector ticked and every word typed, takes a third of it, in bytes.
BODY_LIMIT = 64 * 1024
#: Fields that a form can have at most, and more.
FIELD_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a form, in their order."""

    values: dict[str, list[str]]

    def one(self, name: str) -> str:
        """The last value of that name, on one line; "" where there is none."""
        return clean(self.values.get(name, [""])[-1])

    def all(self, name: str) -> tuple[str, ...]:
        """Each different value of that name, on one line."""
        return tuple(dict.fromkeys(clean(value) for value in self.values.get(name, [])))

    def lines(self, name: str) -> tuple[str, ...]:
        """What a text area holds: one entry a line, or parted by commas, each once."""
        text = "\n".join(self.values.get(name, [])).replace(",", "\n")
        return tuple(dict.fromkeys(filter(None, map(clean, text.splitlines()))))


async def read(request: Request, site: Site) -> Fields:
    """The form of one of our pages.

    Raises:
        HTTPException: 403 from another site, 413 too long, 400 unreadable.
    """
    from_our_pages(request, site)
    return parsed(await _body(request))


def parsed(body: bytes) -> Fields:
    """Raises HTTPException 400 for what is not UTF-8 or has too many fields."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELD_LIMIT,
        )
    except ValueError as error:
        raise HTTPException(400) from error
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        values[name].append(value)
    return Fields(dict(values))


def from_our_pages(request: Request, site: Site) -> None:
    """Refuse a form of another site (OWASP ASVS 3.5.1, 3.5.3).

    Under no-referrer a browser says «Origin: null» even to the same site, so that says nothing.
    """
    root = urlsplit(site.identity.public_url)
    ours = {"", "null", f"{root.scheme}://{root.netloc}"}
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    if request.headers.get("origin", "") not in ours or fetched_from not in {"same-origin", "none"}:
        raise HTTPException(403)


async def _body(request: Request) -> bytes:
    """The body; 413 as soon as it is seen to be too long."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise HTTPException(400)
    if int(declared[:12]) > BODY_LIMIT:
        raise HTTPException(413)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise HTTPException(413)
    return bytes(body)
