"""Addresses that are nearly another one: a slip of the keyboard, more often than not (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Hosts of many mailboxes; a domain one letter off is none that anybody means.
_GREAT_HOSTS = frozenset({
    "gmail.com", "hotmail.com", "hotmail.ca", "hotmail.fr", "outlook.com", "icloud.com",
    "yahoo.com", "yahoo.ca", "yahoo.fr", "videotron.ca", "sympatico.ca", "cgocable.ca",
    "bell.net", "live.com", "live.ca",
})  # fmt: skip
#: What a reader takes for the same: digits for letters, two letters for one.
_SAME_LOOK = str.maketrans({"1": "l", "i": "l", "0": "o"})
_DOUBLE_LOOK = (("rn", "m"), ("vv", "w"))


def likenesses(new: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """By new address: the known or earlier one, or the great host's, that it is nearly.

    Two addresses are alike where they look the same, or where the same name is before the @ and
    the domains are one slip apart: a letter too many, too few, another one, or two swapped.
    """
    seen: dict[object, str] = {}
    for address in known:
        for mark in _marks(address):
            seen.setdefault(mark, address)
    found: dict[str, str] = {}
    for address in new:
        near = _near(address, seen) or _great_host(address)
        if near:
            found[address] = near
        for mark in _marks(address):
            seen.setdefault(mark, address)
    return found


def _near(address: str, seen: dict[object, str]) -> str | None:
    look, *slips = _marks(address)
    same = seen.get(look)
    if same is not None and same != address:
        return same
    domain = address.partition("@")[2]
    for mark in slips:
        other = seen.get(mark)
        if other is not None and _one_slip(domain, other.partition("@")[2]):
            return other
    return None


def _marks(address: str) -> Iterator[object]:
    """How it looks; then, with the name before the @, its domain and that less each letter."""
    name, _, domain = address.partition("@")
    yield _look(name), _look(domain)
    yield name, domain
    for place in range(len(domain)):
        yield name, domain[:place] + domain[place + 1 :]


def _look(text: str) -> str:
    for double, single in _DOUBLE_LOOK:
        text = text.replace(double, single)
    return text.translate(_SAME_LOOK).replace(".", "").replace("-", "").replace("_", "")


def _great_host(address: str) -> str | None:
    name, _, domain = address.partition("@")
    if domain in _GREAT_HOSTS:
        return None
    meant = next((host for host in sorted(_GREAT_HOSTS) if _one_slip(domain, host)), None)
    return f"{name}@{meant}" if meant else None


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter makes the difference; two numbers are two numbers."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    a, b = one[start:], other[start:]
    if a[:1].isdigit() and b[:1].isdigit():
        return False
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:] and len(a) > 1
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]
