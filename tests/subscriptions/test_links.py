"""Links: what we signed is read, and nothing else ever is."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from subscriptions.errors import LinkRefused
from subscriptions.links import CHANGE_DAYS, Links, Purpose, Ticket

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
WHO = "00ff10a0b0c0d0e0"
OLD, NEW, NEWEST = "k" * 32, "n" * 32, "w" * 32
LINKS = Links((OLD,), "https://a.exemple.quebec")
ALPHABET = string.ascii_letters + string.digits + "-_.=é\x00 "


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


def refused(links: Links, purpose: Purpose, value: object, at: datetime = AT) -> bool:
    try:
        links.read(purpose, value, at)
    except LinkRefused:
        return True
    return False


def test_a_link_says_whose_it_is_and_when_it_was_made() -> None:
    url = LINKS.leave(WHO, 3, AT)
    assert url.startswith("https://a.exemple.quebec/d/")
    assert LINKS.read(Purpose.LEAVE, token(url), AT) == Ticket(WHO, 3, date(2026, 9, 21))


def test_path_and_token_take_at_most_42_characters() -> None:
    assert len(LINKS.change(WHO, 65535, AT).removeprefix(LINKS.public_url)) == 42


def test_of_100_000_mutated_tokens_none_is_accepted() -> None:
    dice = random.Random(8058)  # noqa: S311, a test must repeat itself
    genuine = {p: token(f(WHO, 1, AT)) for p, f in _makers(LINKS).items()}
    accepted = []
    for turn in range(100_000):
        purpose = Purpose.LEAVE if turn % 2 else Purpose.CHANGE
        mutant = _mutated(genuine[purpose], dice)
        if mutant != genuine[purpose] and not refused(LINKS, purpose, mutant):
            accepted.append(mutant)
    assert accepted == []


def test_no_other_last_character_verifies() -> None:
    genuine = token(LINKS.leave(WHO, 1, AT))
    read = [c for c in ALPHABET if not refused(LINKS, Purpose.LEAVE, genuine[:-1] + c)]
    assert read == [genuine[-1]]


@pytest.mark.parametrize(
    "value",
    [None, 7, b"abc", "", ".", "é" * 39, "\x00" * 39, "\ud800" * 39, "." * 39, "A" * 1_000_000],
    ids=["none", "number", "bytes", "empty", "dot", "accents", "nul", "surrogate", "dots", "1 MB"],
)
def test_any_input_is_refused_and_raises_nothing_else(value: object) -> None:
    assert refused(LINKS, Purpose.LEAVE, value)
    assert refused(LINKS, Purpose.CHANGE, value)


def test_a_token_of_one_purpose_never_serves_another() -> None:
    assert refused(LINKS, Purpose.CHANGE, token(LINKS.leave(WHO, 1, AT)))
    assert refused(LINKS, Purpose.LEAVE, token(LINKS.change(WHO, 1, AT)))


def test_a_link_to_leave_works_after_400_days_and_two_rotations() -> None:
    rotated = Links((OLD, NEW, NEWEST), LINKS.public_url)
    ticket = rotated.read(Purpose.LEAVE, token(LINKS.leave(WHO, 1, AT)), AT + timedelta(days=400))
    assert ticket.public_id == WHO


def test_the_newest_key_signs() -> None:
    made = token(Links((OLD, NEW), LINKS.public_url).leave(WHO, 1, AT))
    assert refused(LINKS, Purpose.LEAVE, made)
    assert not refused(Links((NEW,), LINKS.public_url), Purpose.LEAVE, made)


def test_a_link_to_change_works_for_30_days_and_no_longer() -> None:
    made = token(LINKS.change(WHO, 1, AT))
    assert not refused(LINKS, Purpose.CHANGE, made, AT + timedelta(days=CHANGE_DAYS))
    assert refused(LINKS, Purpose.CHANGE, made, AT + timedelta(days=CHANGE_DAYS + 1))


def test_keys_are_not_shown_by_repr() -> None:
    assert OLD not in repr(LINKS)


def _makers(links: Links) -> dict[Purpose, Callable[[str, int, datetime], str]]:
    return {Purpose.LEAVE: links.leave, Purpose.CHANGE: links.change}


def _mutated(value: str, dice: random.Random) -> str:
    where = dice.randrange(len(value))
    match dice.randrange(5):
        case 0:
            return value[:where] + dice.choice(ALPHABET) + value[where + 1 :]
        case 1:
            return value[:where]
        case 2:
            return value + dice.choice(ALPHABET)
        case 3:
            return value[:where] + dice.choice(ALPHABET) + value[where:]
        case _:
            return "".join(dice.sample(value, len(value)))
