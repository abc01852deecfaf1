"""Texts, moments and links of a source, made safe one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sources import fields

PUBLISHED = datetime(2026, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("Déneigement", "Déneigement", id="as it is"),
        pytest.param("De\u0301neigement", "Déneigement", id="decomposed accents"),
        pytest.param("DÃ©neigement", "Déneigement", id="UTF-8 read as cp1252"),
        pytest.param("CHÂTEAU, PÂTÉ", "CHÂTEAU, PÂTÉ", id="capitals with circumflex"),
        pytest.param("l\x92Hôtel", "l’Hôtel", id="cp1252 apostrophe"),
        pytest.param("a\x00b\x07c\x9dd", "abcd", id="control characters"),
        pytest.param("a\u202eb\u2066c", "abc", id="bidirectional marks"),
        pytest.param("dé\u200bneige\u00adment", "déneigement", id="unseen characters"),
        pytest.param("a\ud83db", "ab", id="lone surrogate"),
        pytest.param("titre\r\nBcc: x@exemple.invalid", "titre Bcc: x@exemple.invalid", id="CR LF"),
        pytest.param("CZT\t\t\t ", "CZT", id="tabs at the end"),
        pytest.param("<b>{{7*7}}</b> =1+1", "<b>{{7*7}}</b> =1+1", id="markup stays text"),
        pytest.param(1245, "1245", id="number"),
        pytest.param(None, "", id="nothing"),
        pytest.param(True, "", id="true"),
        pytest.param(["a"], "", id="list"),
    ],
)
def test_a_text_is_one_clean_line(written: object, read: str) -> None:
    assert fields.text(written, 100) == read


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    cut = fields.text("é" * 10_000, 2000)
    assert len(cut) == 2000
    assert cut.endswith("é…")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ville de Saint-Jérôme.", "Ville de Saint-Jérôme"),
        ("Santé Québec Montérégie-Centre  ", "Santé Québec Montérégie-Centre"),
        ("Ville  de Québec . .", "Ville de Québec"),
        (
            "Ville de Montréal - Arr. CDN-NDG - SDF590204",
            "Ville de Montréal - Arr. CDN-NDG - SDF590204",
        ),
        ("Transport fictif inc.", "Transport fictif inc."),
        ("O.M.H.", "O.M.H."),
        ("...", ""),
    ],
)
def test_a_name_loses_its_trailing_dots_and_blanks(written: str, read: str) -> None:
    assert fields.name(written, 500) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("2026-09-28T11:00:00-04:00", datetime(2026, 9, 28, 15, tzinfo=UTC), id="zone"),
        pytest.param("2026-09-28T15:00:00Z", datetime(2026, 9, 28, 15, tzinfo=UTC), id="Z"),
        pytest.param(
            "2026-09-28T11:00:00.123-04:00",
            datetime(2026, 9, 28, 15, 0, 0, 123000, UTC),
            id="parts",
        ),
        pytest.param(
            "2026-09-28 11:00", datetime(2026, 9, 28, 15, tzinfo=UTC), id="no zone, summer"
        ),
        pytest.param(
            "2026-12-01T11:00:00", datetime(2026, 12, 1, 16, tzinfo=UTC), id="no zone, winter"
        ),
        pytest.param(
            "2026-11-01T01:30:00",
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            id="hour that comes twice: the earlier",
        ),
        pytest.param(
            "2027-03-14T02:30:00",
            datetime(2027, 3, 14, 7, 30, tzinfo=UTC),
            id="hour that does not come",
        ),
        pytest.param(
            "2027-01-10T11:00:00-04:00",
            datetime(2027, 1, 10, 15, tzinfo=UTC),
            id="summer's offset in winter is believed",
        ),
        pytest.param("0001-01-01T00:00:00-05:00", None, id="year 1"),
        pytest.param("0001-01-01T00:00:00", None, id="year 1 without zone"),
        pytest.param("1900-01-01T00:00:00-05:00", None, id="1900"),
        pytest.param("9999-12-31T23:59:59-05:00", None, id="9999, beyond UTC"),
        pytest.param("2999-01-01T00:00:00-05:00", None, id="2999"),
        pytest.param("2031-12-31T00:00:00-05:00", None, id="over five years"),
        pytest.param("2026-02-30T11:00:00-05:00", None, id="30 February"),
        pytest.param("2026-09-28T24:00:00-04:00", None, id="24 o'clock"),
        pytest.param("05/11/2026", None, id="5 November or 11 May"),
        pytest.param("20261105", None, id="no hyphens"),
        pytest.param("2026-W45-4T10:00", None, id="week"),
        pytest.param("2026-11-05", None, id="day without hour"),
        pytest.param("2026-11-05T10:00:00 EST", None, id="EST"),
        pytest.param("٢٠٢٦-٠٩-٢٨T١١:٠٠", None, id="other digits"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="nothing"),
        pytest.param(20261105, None, id="number"),
        pytest.param({"x": 1}, None, id="object"),
    ],
)
def test_only_a_sensible_moment_in_a_declared_format_is_read(
    written: object, read: datetime | None
) -> None:
    assert fields.moment(written, after=PUBLISHED) == read


@pytest.mark.parametrize(
    "written", ["1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9998-01-01T00:00Z"]
)
def test_a_moment_of_another_century_is_none_even_where_nothing_is_known_before_it(
    written: str,
) -> None:
    assert fields.moment(written) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId=d1eedf39-d95c-4dcd",
        "http://www.exemple.quebec/avis",
        "https://exemple.quebec:443/é/%C3%A9+a?b=c#d",
    ],
)
def test_an_address_of_the_web_is_linked_as_published(url: str) -> None:
    assert fields.link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://exemple.quebec/x",
        "//evil.test/x",
        "/consulter",
        "https:evil",
        "\\\\evil.test\\x",
        "https://seao.gouv.qc.ca@evil.test/",
        "https://u:p@exemple.quebec/",
        "https://seao.gouv.qc.ca\\@evil.test/",
        "https://exemple.quebec/a b",
        "https://exemple.quebec/a\nb",
        'https://exemple.quebec/"onmouseover=x',
        "https://exemple.quebec/<b>",
        "https://exemple.quebec:8443/",
        "https://exemple.quebec:x/",
        "https://[::1/",
        "https://ѕеао.gouv.qc.ca/",
        "https://localhost/",
        "https:///x",
        "https://exemple.quebec/" + "a" * 10_000,
        "",
        None,
        3,
    ],
)
def test_any_other_address_is_not_linked(url: object) -> None:
    assert fields.link(url) == ""
