"""What a letter holds, within which size, and what hostile notices cannot do to it."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape

import premailer
import pytest

from alerts import message
from alerts.digest import Digest, Gap, Notice, Period, Reason
from alerts.errors import LetterUnwritable
from alerts.fitting import LIMIT
from alerts.letter import Composed, Press, ReaderLinks, Sender, compose
from alerts.printing import LINK, Printed
from alerts.tables import Kind
from alerts.templates import where
from tests.emails import gallery, oracle
from tests.emails.gallery import CASES

AT = datetime(2026, 9, 21, 12, tzinfo=UTC)
SENDER = Sender(
    tenant_name="Coop fictive de l’Économie sociale",
    postal_address="1, rue Fictive, Trois-Rivières (Québec)",
    contact_email="info@exemple.quebec",
    privacy_officer="Direction générale, vie-privee@exemple.quebec",
    public_url="https://alertes.exemple.quebec",
    author_email="alertes@exemple.quebec",
    list_domain="alertes.exemple.quebec",
)
LINKS = ReaderLinks(
    f"https://alertes.exemple.quebec/d/{'a' * 300}", f"https://alertes.exemple.quebec/p/{'b' * 300}"
)
NOTICE = Notice(
    cluster_id=1,
    revision_id=1,
    number="20169865",
    title="Déneigement des stationnements",
    buyer="Ville fictive",
    place="",
    place_to_check=True,
    category="services",
    method="Avis d’appel d’offres",
    closes_at=datetime(2026, 9, 28, 15, tzinfo=UTC),
    uri="https://seao.gouv.qc.ca/avis?ItemId=1&x=2",
    source="SEAO",
    reasons=(Reason("d", "Déneigement", "« déneigement » dans le titre"),),
)
DIGEST = Digest(
    contact_name="Ariane Fictive",
    member_name="Coop fictive du Déneigement",
    stream="weekly",
    period=Period(AT - timedelta(days=7, hours=8), AT - timedelta(hours=8)),
    notices=(NOTICE,),
    sectors=("Déneigement",),
)


def _letter(digest: Digest = DIGEST, recipient: str = "a@exemple.quebec") -> Composed:
    composed = compose(Press.of(SENDER), digest, LINKS, recipient=recipient, key="k", at=AT)
    check_wire(composed.content)
    return composed


def check_wire(content: bytes) -> None:
    """RFC 5322 and 5321 on bytes: CRLF only, short lines, ASCII without controls."""
    assert re.search(rb"[^\r]\n|\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", content) is None
    head, body = content.split(b"\r\n\r\n", 1)
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


def _parts(composed: Composed) -> tuple[EmailMessage, str, str]:
    parsed = email.message_from_bytes(composed.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not [part.defects for part in parsed.walk() if part.defects]
    assert not [value.defects for value in parsed.values() if value.defects]
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    return parsed, *(part.get_content().replace("\r\n", "\n") for part in (text, html))


def test_the_headers_say_who_what_and_how_to_leave() -> None:
    composed = _letter()
    parsed, _, _ = _parts(composed)
    assert parsed["Subject"] == composed.subject
    assert composed.subject.endswith("pour vous; il ferme le 28\u00a0septembre")
    assert parsed["From"].addresses[0].display_name == SENDER.tenant_name
    assert parsed["Message-ID"] == composed.message_id
    assert f"\r\nList-Unsubscribe: <{LINKS.leave}>\r\n".encode() in composed.content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in composed.content
    assert b"\r\nList-Id: <weekly.alertes.exemple.quebec>\r\n" in composed.content


@pytest.mark.parametrize("count", [1, 45, 5000])
def test_any_number_of_notices_stays_under_the_limit_with_the_footer(count: int) -> None:
    notices = tuple(
        replace(NOTICE, revision_id=i, number=f"{20000000 + i}", title=f"{'É' * 290} {i}")
        for i in range(count)
    )
    composed = _letter(replace(DIGEST, notices=notices))
    _, text, html = _parts(composed)
    assert len(composed.content) <= LIMIT
    for part in (text, html):
        assert LINKS.leave in part
        assert LINKS.change in part
        assert f"{LINKS.change}/avis" in part
        assert SENDER.postal_address in part
    named = set(re.findall(r"20\d{6}", text))
    assert named == set(re.findall(r"20\d{6}", html))
    assert len(named) == count or "autres avis" in text
    assert ("autres avis" in text) == ("autres avis" in html) == (len(named) < count)


def test_a_card_has_its_links_in_both_parts_and_none_of_them_changes_anything() -> None:
    _, text, html = _parts(_letter())
    page = f"{LINKS.change}/avis/1"
    for link in (page, f"{page}/echeance.ics", f"{page}#pertinent", f"{page}#masquer"):
        assert f'"{link}"' in html
        assert link in text.split("\n")
    assert NOTICE.uri in text.split("\n")
    assert NOTICE.uri.replace("&", "&amp;") in html


def test_the_link_to_leave_is_in_the_footer_only() -> None:
    _, text, html = _parts(_letter())
    for part, footer in ((text, "\n-- \n"), (html, 'class="foot"')):
        assert LINKS.leave not in part[: part.index(footer)]


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "{{7*7}} {% raw %}",
        "Avis\r\nBcc: tous@exemple.invalid",
        "a\u202eb\u200fc",
        "nul\x00 et \x92",
        "neige ❄️",
        "É" * 5000,
        "",
        ".",
        "=?utf-8?q?x?=",
    ],
    ids=repr,
)
def test_a_hostile_title_stays_text(title: str) -> None:
    digest = replace(DIGEST, notices=(replace(NOTICE, title=title),), contact_name=title)
    parsed, text, html = _parts(_letter(digest))
    assert parsed["Bcc"] is None
    assert "<script" not in html
    assert not re.search("[\x00\u202e\u200f]", text + html)
    if "7*7" in title:
        assert "{{7*7}}" in text
        assert "{{7*7}}" in html


@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "//evil.test", "https://a@evil.test", "https://a b", "", "data:x"],
)
def test_what_is_no_web_address_is_not_linked(uri: str) -> None:
    _, text, html = _parts(_letter(replace(DIGEST, notices=(replace(NOTICE, uri=uri),))))
    assert "evil" not in html
    assert not re.search('href="(?!https://alertes.exemple.quebec/)', html)
    assert "20169865" in html
    assert "20169865" in text
    assert not uri or uri not in html


@pytest.mark.parametrize("recipient", ["a@b\r\nBcc: c@d", "élodie@exemple.quebec", "", "a@b>"])
def test_an_impossible_address_is_said(recipient: str) -> None:
    with pytest.raises(LetterUnwritable, match="address"):
        _letter(recipient=recipient)


def test_a_notice_without_date_says_to_check_and_offers_no_calendar() -> None:
    _, text, html = _parts(_letter(replace(DIGEST, notices=(replace(NOTICE, closes_at=None),))))
    for part in (text, html):
        assert "Date limite à vérifier" in part
        assert "echeance.ics" not in part


@pytest.mark.parametrize("year", [2020, 9999])
def test_a_closing_far_away_is_shown_as_it_is(year: int) -> None:
    closes_at = datetime(year, 12, 30, 15, tzinfo=UTC)
    composed = _letter(replace(DIGEST, notices=(replace(NOTICE, closes_at=closes_at),)))
    _, text, html = _parts(composed)
    for part in (text, html):
        assert f"30\u00a0décembre {year}, 10\u00a0h" in part
    assert ("fermé" in text) == (year == 2020)
    assert ("ferme le" in composed.subject) == (year == 9999)


def test_a_closing_without_zone_is_refused_and_never_guessed() -> None:
    naive = datetime(2026, 9, 28, 15)  # noqa: DTZ001, the very fault
    with pytest.raises(LetterUnwritable):
        _letter(replace(DIGEST, notices=(NOTICE, replace(NOTICE, closes_at=naive))))


def test_a_complaint_deadline_is_shown_where_there_is_one() -> None:
    told = replace(NOTICE, complaint_by=datetime(2026, 9, 24, 20, tzinfo=UTC))
    for part in _parts(_letter(replace(DIGEST, notices=(told,))))[1:]:
        assert "Plainte possible jusqu’au 24\u00a0septembre, 16\u00a0h" in part
    for part in _parts(_letter())[1:]:
        assert "Plainte" not in part


@pytest.mark.parametrize(
    "name",
    ['Robert"); --', "Anne\r\nBcc: tous@exemple.invalid", "A" * 5000, "{{ 7*7 }}", "<b>", "100 %s"],
)
def test_a_hostile_name_stays_text(name: str) -> None:
    digest = replace(DIGEST, contact_name=name, member_name=name)
    parsed, text, html = _parts(_letter(digest))
    assert parsed["Bcc"] is None
    shown = " ".join(name.split())[:60]
    assert shown in re.sub(r"\s+", " ", text)
    assert shown in unescape(html)


def test_a_title_that_looks_like_a_slot_fills_nothing() -> None:
    for title in (message.slot("leave"), "%(leave)b", "%s %% %(", "\x02change\x03 fin"):
        why = (Reason("d", title, title),)
        hostile = replace(NOTICE, title=title, reasons=why)
        digest = replace(DIGEST, notices=(hostile,), contact_name=title)
        _, text, html = _parts(_letter(digest))
        for part, footer in ((text, "\n-- \n"), (html, 'class="foot"')):
            assert LINKS.leave not in part[: part.index(footer)]
            if "%" in title:
                assert title in part
                assert f"{title}\u00a0: {title}" in part


@pytest.mark.parametrize("name", [name for name in CASES if name != "5000-avis"])
def test_a_letter_is_what_the_standard_library_makes_of_the_whole_template(name: str) -> None:
    digest = CASES[name]()
    digest = replace(digest, notices=digest.notices[:20])
    composed = compose(
        Press.of(gallery.SENDER), digest, gallery.LINKS, recipient="a@b.quebec", key=name, at=AT
    )
    check_wire(composed.content)
    parsed, text, html = _parts(composed)
    words = oracle.words(gallery.SENDER, digest, gallery.LINKS, AT, cards=composed.shown, lines=0)
    expected = email.message_from_bytes(
        oracle.message(
            gallery.SENDER,
            digest,
            gallery.LINKS,
            subject=str(words["subject"]),
            recipient="a@b.quebec",
            message_id=composed.message_id,
            at=AT,
            text=oracle.text_of(words),
            html=oracle.html_of(words),
        ).as_bytes(),
        policy=email.policy.default,
    )
    assert composed.shown == len(digest.notices)
    plain = {"MIME-Version", "Content-Type"}
    assert {k: v for k, v in parsed.items() if k not in plain} == {
        k: v for k, v in expected.items() if k not in plain
    }
    bodies = [part.get_content().replace("\r\n", "\n") for part in expected.iter_parts()]
    assert [text, html] == bodies


@pytest.mark.parametrize("name", CASES)
def test_text_and_html_name_the_same_notices_and_the_same_links(name: str) -> None:
    digest = CASES[name]()
    text, html = gallery.text_of(name), gallery.html_of(name)
    linked = {unescape(uri) for uri in re.findall(r'href="([^"]+)"', html)}
    assert linked == {line for line in text.split("\n") if line.startswith("http")}
    numbers = {one.number for one in digest.notices}
    named = [{number for number in numbers if number in part} for part in (text, html)]
    assert named[0] == named[1]
    rest = re.search(r"et ([\d\u00a0]+?)\u00a0autres? avis", html)
    left = int(rest[1].replace("\u00a0", "")) if rest else 0
    assert rest is None or rest[0] in text
    assert len(named[0]) + left == len(numbers)


def test_the_most_useful_have_room_first_and_reserved_invitations_are_never_cut() -> None:
    many = tuple(
        replace(NOTICE, cluster_id=n, revision_id=n, number=f"{20000000 + n}") for n in range(900)
    )
    late = tuple(replace(one, closes_at=AT + timedelta(days=40)) for one in many)
    reserved = replace(NOTICE, cluster_id=901, number="INV-7", reserved=True)
    changed = replace(NOTICE, cluster_id=902, number="MOD-8", kind=Kind.CHANGE)
    composed = _letter(replace(DIGEST, notices=(*late, reserved, changed)))
    _, text, html = _parts(composed)
    assert "autres avis" in text
    for part in (text, html):
        assert part.index("MOD-8") < part.index("20000000") < part.index("INV-7")
    assert LIMIT - 1000 < len(composed.content) <= LIMIT


def test_the_footer_has_its_room_before_any_notice() -> None:
    gaps = tuple(Gap(f"Source fictive numéro {n} {'é' * 60}", AT) for n in range(40))
    notices = tuple(replace(NOTICE, cluster_id=n, revision_id=n, number=f"{n}") for n in range(300))
    composed = _letter(replace(DIGEST, notices=notices, gaps=gaps))
    assert len(composed.content) <= LIMIT
    for part in _parts(composed)[1:]:
        assert LINKS.leave in part
        assert "Source fictive numéro 39" in part
    with pytest.raises(LetterUnwritable, match="too many"):
        _letter(replace(DIGEST, gaps=gaps * 3))


@pytest.mark.parametrize(
    "change",
    [
        ("title", "Autre titre"),
        ("buyer", "Autre ville"),
        ("reasons", (Reason("d", "Autre secteur", "« autre » dans le titre"),)),
        ("perhaps_seen", True),
        ("uri", "https://seao.gouv.qc.ca/autre"),
        ("kind", Kind.CANCELLATION),
        ("conflicting", True),
    ],
    ids=lambda change: change[0],
)
def test_what_was_printed_of_one_notice_is_never_shown_for_another(
    change: tuple[str, object],
) -> None:
    """The same revision may differ for another reader: by its reasons, by what it changed."""
    press = Press.of(SENDER)
    other = replace(DIGEST, notices=(replace(NOTICE, **dict([change])),))  # type: ignore[arg-type]
    made = [
        compose(one_press, one, LINKS, recipient="a@exemple.quebec", key="k", at=AT).content
        for one_press, one in ((press, DIGEST), (press, other), (Press.of(SENDER), other))
    ]
    assert made[0] != made[1] == made[2]


def test_a_card_is_printed_once_whatever_the_reasons_of_its_readers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    press, printed = Press.of(SENDER), []
    as_it_is = press.printer.printed

    def counted(name: str, **words: object) -> Printed:
        printed.append(name)
        return as_it_is(name, **words)

    monkeypatch.setattr(press.printer, "printed", counted)
    for place in ("le titre", "la description", "le titre"):
        why = (Reason("d", "Déneigement", f"« déneigement » dans {place}"),)
        one = replace(DIGEST, notices=(replace(NOTICE, reasons=why),))
        made = compose(press, one, LINKS, recipient="a@exemple.quebec", key="k", at=AT)
        assert all(f"dans {place}" in part for part in _parts(made)[1:])
    assert (printed.count("card"), printed.count("reasons")) == (1, 2)


def test_the_days_left_are_counted_anew_in_each_run() -> None:
    press = Press.of(SENDER)
    for days, said in ((0, "dans 7\u00a0jours"), (6, "demain"), (7, "aujourd’hui")):
        at = AT + timedelta(days=days)
        made = compose(press, DIGEST, LINKS, recipient="a@exemple.quebec", key="k", at=at)
        text = _parts(made)[1]
        assert (f"({said})" in text) or ("(dans 3\u00a0heures)" in text and days == 7)


@pytest.mark.parametrize(
    ("name", "subject", "said"),
    [
        ("un-changement", "Modifié : Location", "Vous aviez lu : 2 octobre, 11 h;"),
        ("un-changement", "Modifié : Location", "maintenant : 25 septembre, 11 h"),
        ("annulation", "Annulé : CONTRAT", "Clôture prévue : lundi 28 septembre 2026"),
        ("changements", "4 de vos avis ont changé; le", "Document retiré : Annexe A.pdf"),
        ("rappel", "Ferme demain : CONTRAT", "Cet avis vous intéresse et ferme bientôt."),
        ("rappels", "Rappel : 2 avis à ne pas manquer; le premier", "Vos rappels"),
        ("des-la-parution", "Nouveau : 2 appels d’offres pour vous; le", "dès la parution"),
        ("sans-attendre", "À voir sans attendre : 1 appel d’offres", "trop tôt pour attendre"),
        ("bienvenue", "Bienvenue : 4 appels d’offres encore", "une lettre par semaine, le lundi"),
        ("retour", "Bon retour : 4 appels d’offres encore", "Vos lettres reprennent."),
        ("en-retard", "2 appels d’offres pour vous; le", "Envoi retardé de 3 jours."),
        ("un-peu-de-tout", "4 changements et 6 appels d’offres", "structure.pdf et 37 autres"),
        ("un-peu-de-tout", "4 changements", "Envoi retardé de 5 h."),
        ("un-peu-de-tout", "4 changements", "3 avis pour vous ont fermé avant que cette"),
        ("un-peu-de-tout", "4 changements", "Il en reste 12 pour la prochaine."),
        ("un-peu-de-tout", "4 changements", "SEAO n’étaient pas encore parus"),
        ("un-peu-de-tout", "4 changements", "SEAO : lu le 21 septembre à 6 h; 412 avis ouverts"),
        ("un-peu-de-tout", "4 changements", "Ville de Saint-Jérôme : pas encore lu"),
        ("un-peu-de-tout", "4 changements", "incomplètes depuis le 17 septembre."),
        ("reservees", "2 appels d’offres", "Elles ne sont publiées nulle part"),
    ],
)
def test_each_kind_of_letter_says_what_it_is(name: str, subject: str, said: str) -> None:
    plain = str(gallery.message_of(name)["Subject"]).replace("\u00a0", " ")
    assert plain.startswith(subject)
    html = unescape(re.sub(r"<[^>]+>", "", gallery.html_of(name)))
    for part in (gallery.text_of(name), html):
        assert said in re.sub(r"\s+", " ", part)


@pytest.mark.parametrize("name", [name for name in CASES if name != "5000-avis"])
def test_the_first_line_tells_something_else_than_the_subject(name: str) -> None:
    subject = str(gallery.message_of(name)["Subject"])
    first = gallery.text_of(name).split("\n\n", 1)[0].replace("\n", " ")
    assert first
    assert first not in subject
    assert subject.rsplit(" : ", maxsplit=1)[-1][:30] not in first
    lead = re.search(r'class="lead"[^>]*>([^<]+)<', gallery.html_of(name))
    assert lead is not None
    assert unescape(lead[1]) == first


@pytest.mark.parametrize("name", CASES)
def test_nothing_in_a_letter_is_fetched_or_hidden(name: str) -> None:
    html = gallery.html_of(name)
    assert not re.search(r"(?i)<(img|link|script|iframe|object|form|input|base)\b|\bsrc=", html)
    assert not re.search(r"(?i)url\(|display:\s*none|font-size:\s*0|@import", html)


def test_the_html_of_a_real_notice_takes_at_most_1100_octets() -> None:
    printer = Press.of(gallery.SENDER).printer
    sizes = []
    for one in gallery.real_notices():
        card = printer.moment(AT)[one].card
        sizes.append(len(card.html.replace(LINK, message.ended(gallery.LINKS.change))))
    assert sum(sizes) / len(sizes) <= 1100


def test_the_octets_of_what_is_printed_are_those_of_the_wire_but_for_its_links() -> None:
    printer = Press.of(gallery.SENDER).printer
    for one in gallery.real_notices():
        for entry in (printer.moment(AT)[one].card, printer.moment(AT)[one].line):
            whole = (entry.text + entry.html).replace(LINK, b"x" * 70)
            assert len(whole) == entry.octets + 70 * entry.links


def test_a_hundred_letters_call_premailer_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    press = Press.of(SENDER)
    monkeypatch.delattr(premailer.Premailer, "transform")
    letters = [
        compose(press, DIGEST, LINKS, recipient="a@exemple.quebec", key=str(number), at=AT)
        for number in range(100)
    ]
    assert len({letter.message_id for letter in letters}) == 100


@pytest.mark.parametrize(
    ("buyer", "place", "said"),
    [
        (
            "Ville de Mascouche",
            "Mascouche, MRC Les Moulins",
            "Ville de Mascouche · MRC Les Moulins",
        ),
        ("MRC de La Matanie", "MRC La Matanie", "MRC de La Matanie"),
        ("Ville de Sherbrooke", "Sherbrooke", "Ville de Sherbrooke"),
        (
            "Régie fictive",
            "Saint-Sylvère, MRC Bécancour",
            "Régie fictive · Saint-Sylvère, MRC Bécancour",
        ),
        ("", "Sainte-Sophie", "Sainte-Sophie"),
    ],
)
def test_a_place_that_the_buyer_names_is_said_once(buyer: str, place: str, said: str) -> None:
    assert where(replace(NOTICE, buyer=buyer, place=place)) == said
