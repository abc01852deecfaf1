"""Headers survive two decoders; parts are quoted-printable."""

from __future__ import annotations

import email
import email.policy
import quopri
import random
import re
import textwrap
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.errors import LetterUnwritable
from alerts.message import ended, mailbox, quoted, raw, words
from alerts.printing import LINK
from alerts.templates import cut, wrap

ALPHABET = "aàâbcçdeéèêëfghiïjklmnoôpqrstuùvwxyzœÉÀ’«»\u00a0  -,;:.?!=_()\"'0123456789❄"


def test_ten_thousand_french_subjects_and_names_survive_two_decoders() -> None:
    chance = random.Random(20260921)  # noqa: S311, a seed to repeat
    for _ in range(10_000):
        text = " ".join("".join(chance.choices(ALPHABET, k=chance.randint(1, 200))).split(" "))
        text = text.strip(" ") or "é"
        lines = words("Subject", text)
        assert all(len(line) <= 76 for line in lines.split("\r\n"))
        parsed = email.message_from_string(lines + "\r\n\r\n", policy=email.policy.default)
        assert parsed["Subject"] == text
        legacy = email.message_from_string(lines + "\r\n\r\n")["Subject"]
        assert str(make_header(decode_header(legacy))) == text
        name = " ".join(text.split(" "))[:60].strip(" ")
        header = mailbox("From", name, "a@exemple.quebec") + "\r\n\r\n"
        phrase = email.message_from_string(header)["From"].rsplit("\n <", 1)[0].rstrip("\r")
        assert str(make_header(decode_header(phrase))) == name
        author = email.message_from_string(header, policy=email.policy.default)["From"]
        assert author.addresses[0].addr_spec == "a@exemple.quebec"
        # CPython 3.11's parser of phrases keeps the blank between two encoded-words and
        # collapses encoded blanks (RFC 2047 6.2 says otherwise): single words only.
        if phrase.count("=?") == 1 and not re.search(r"\s\s", name):
            assert author.addresses[0].display_name == name


def test_a_body_comes_back_whole_and_never_begins_a_line_with_a_dot() -> None:
    text = ".\n..é\n" + "long " * 50 + "\nfin \n"
    wire = quoted(text)
    assert not [line for line in wire.split(b"\r\n") if line.startswith(b".") or len(line) > 78]
    assert quopri.decodestring(wire).replace(b"\r\n", b"\n").decode() == text


_LINES = st.text(st.characters(max_codepoint=126) | st.sampled_from("é\u00a0—"), max_size=90)


@given(_LINES)
@example("." * 80)
@example("x" * 75)
@example("x" * 76)
@example("x" * 80)
@example("https://alertes.exemple.quebec/p/" + "a" * 40)
@example("a=b")
@example("é" + "x" * 70)
@example("é" + "x" * 69 + ".")
@example("é" + "x" * 67 + "é")
@example("é" + "x" * 64 + "é")
@example(" a")
@example("a ")
def test_what_is_quoted_comes_back_and_keeps_to_lines_without_the_mark_of_a_link(text: str) -> None:
    wire = ended(text)
    lines = wire.split(b"\r\n")
    assert lines.pop() == b""
    assert not [line for line in lines if len(line) > 76 or line.startswith(b".")]
    assert LINK not in wire
    read = quopri.decodestring(wire).replace(b"\r\n", b"\n").decode()
    assert read == text.replace("\r\n", "\n")


@given(
    st.text(st.sampled_from("ab \t\n\r\v\f\u00a0\u2028-é"), max_size=90),
    st.sampled_from(("", "  ")),
)
@example("a" * 76, "")
@example("a" * 77, "")
@example("a " * 38 + "a", "")
@example("a " * 37 + "aa", "")
@example("a" * 75, "  ")
def test_a_short_line_is_wrapped_as_the_library_would(text: str, indent: str) -> None:
    options = {"initial_indent": indent, "subsequent_indent": indent}
    whole = textwrap.fill(text, 76, **options, break_long_words=False, break_on_hyphens=False)
    assert wrap(text, indent) == whole


@pytest.mark.parametrize("value", ["a\r\nBcc: b", "é", "x" * 1000])
def test_a_raw_header_refuses_what_would_break_its_line(value: str) -> None:
    with pytest.raises(LetterUnwritable):
        raw("List-Help", value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("dans la bonne classification", "dans la bonne…"),
        ("dans la classe A", "dans la classe A"),
        ("dans la classe AB", "dans la classe…"),
        ("un transport – minifourgonnettes", "un transport…"),
        ("un transport, minifourgonnettes", "un transport…"),
        ("anticonstitutionnellement", "anticonstitutio…"),
        ("a anticonstitutionnellement", "a anticonstitut…"),
    ],
)
def test_what_is_too_long_ends_with_a_whole_word_unless_that_is_most_of_it(
    text: str, kept: str
) -> None:
    assert cut(text, 16) == kept
    assert len(kept) <= 16
