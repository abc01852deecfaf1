"""The return path names its letter, and nobody else can make one."""

from __future__ import annotations

import random

import pytest

from alerts.verp import Verp, find

KEYS = ("ancienne-" + "a" * 32, "nouvelle-" + "b" * 32)
VERP = Verp(KEYS, "retours@exemple.quebec")
ID = "<0123456789abcdef0123456789abcdef@exemple.quebec>"


@pytest.mark.parametrize("letter", [1, 35, 36, 123_456, 2**31 - 1])
def test_a_sender_gives_its_letter_back(letter: int) -> None:
    sender = VERP.sender(letter, ID)
    (tag,) = find(sender)
    assert tag.letter_id == letter
    assert VERP.vouches(tag, ID)
    local, _, domain = sender.partition("@")
    assert (len(local) <= 64, domain) == (True, "exemple.quebec")


def test_the_longest_address_that_settings_allow_leaves_room() -> None:
    local = Verp(KEYS, f"{'r' * 29}@exemple.quebec").sender(2**31 - 1, ID).partition("@")[0]
    assert len(local) <= 64


def test_another_letter_s_tag_or_an_id_used_again_proves_nothing() -> None:
    (tag,) = find(VERP.sender(7, ID))
    assert not VERP.vouches(tag, ID.replace("0", "1"))


def test_an_older_key_still_vouches_and_a_foreign_one_never_does() -> None:
    (old,) = find(Verp(KEYS[:1], VERP.address).sender(7, ID))
    (foreign,) = find(Verp(("étrangère-" + "c" * 32,), VERP.address).sender(7, ID))
    assert VERP.vouches(old, ID)
    assert not VERP.vouches(foreign, ID)


def test_no_spoiled_tag_is_vouched_for() -> None:
    chance = random.Random(7)  # noqa: S311, no secret
    tag = VERP.tag(7, ID)
    for _ in range(10_000):
        place = chance.randrange(2, len(tag))
        spoiled = tag[:place] + chance.choice("abcdefghijklmnopqrstuvwxyz234567") + tag[place + 1 :]
        accepted = any(VERP.vouches(one, ID) for one in find(spoiled))
        assert accepted == (spoiled == tag)


@pytest.mark.parametrize(
    "text", ["", "retours@exemple.quebec", "zzzzzzz-" + "a" * 26, "7-" + "a" * 27, "7-" + "1" * 26]
)
def test_what_is_no_tag_is_not_found(text: str) -> None:
    assert list(find(text)) == []


def test_keys_are_not_shown() -> None:
    assert "ancienne" not in repr(VERP)
