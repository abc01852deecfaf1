"""A slip of the keyboard in an address is seen; two addresses that differ are left alone."""

from __future__ import annotations

import pytest

from subscriptions.likeness import likenesses


@pytest.mark.parametrize(
    ("new", "known"),
    [
        pytest.param("anne@exempel.quebec", "anne@exemple.quebec", id="two letters swapped"),
        pytest.param("anne@exemple.qebec", "anne@exemple.quebec", id="a letter less"),
        pytest.param("anne@exxemple.quebec", "anne@exemple.quebec", id="a letter more"),
        pytest.param("anne@exemplo.quebec", "anne@exemple.quebec", id="another letter"),
        pytest.param("paul@exemple.quebec", "pau1@exemple.quebec", id="1 for l"),
        pytest.param("jules@exemple.quebec", "ju1es@exemple.quebec", id="l for 1"),
        pytest.param("rnaude@exemple.quebec", "maude@exemple.quebec", id="rn for m"),
        pytest.param("odi1e@exemp1e.quebec", "odile@exemple.quebec", id="in the domain too"),
        pytest.param("jean.noel@exemple.quebec", "jeannoel@exemple.quebec", id="a point less"),
    ],
)
def test_what_is_nearly_a_known_address_is_told_with_it(new: str, known: str) -> None:
    assert likenesses([new], [known]) == {new: known}
    # The second of two new ones is told too.
    assert likenesses([known, new], []) == {new: known}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anne@gmial.com", "anne@gmail.com"),
        ("anne@hotmail.con", "anne@hotmail.com"),
        ("anne@videotron.ca", None),
        ("anne@outlook.com", None),
        ("anne@deneigement.exemple.quebec", None),
    ],
)
def test_a_great_host_that_is_misspelt_is_told(typed: str, meant: str | None) -> None:
    assert likenesses([typed], []).get(typed) == meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anne@exemple.quebec", "anna@exemple.quebec"),
        ("info@coop1.exemple.quebec", "info@coop2.exemple.quebec"),
        ("info@nord.exemple.quebec", "info@sud.exemple.quebec"),
        ("anne@exemple.quebec", "bruno@exemple.quebec"),
        ("anne@exemple.quebec", "anne@exemple.quebec"),
    ],
)
def test_addresses_that_differ_are_left_alone(one: str, other: str) -> None:
    assert likenesses([one], [other]) == {}
