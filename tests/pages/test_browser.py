"""The pages in Debian's Chromium: on a phone, at 200 % zoom, by keyboard, without JavaScript."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select, update

from base.clock import utc_now
from base.database import Database, connect
from pages.app import create
from pages.limits import Limits
from subscriptions import events, wishes
from subscriptions.links import Links, Purpose
from subscriptions.tables import Contact, Event, Membership, What
from tests.browser import chromium, needs_chromium, violations
from tests.coop import entitled, tender
from tests.webpages import CATALOGUE, IDENTITY, LINKS, events_of, pages, served

PHONE = {"width": 320, "height": 640}
#: 1280 px wide at 200 % zoom.
ZOOMED = {"width": 640, "height": 512}
SNOW, CLEAN = "deneigement", "entretien-menager"

pytestmark = pytest.mark.browser


@pytest.fixture
def browser() -> Iterator[Browser]:
    needs_chromium()
    with chromium() as opened:
        yield opened


@dataclass(frozen=True)
class Served:
    """A served co-op: an active contact with open notices, and one whose membership lapsed."""

    root: str
    links: Links
    database: Database
    contact: Contact
    lapsed: Contact
    call: int

    def change(self, contact: Contact | None = None) -> str:
        return self.links.change((contact or self.contact).public_id, 1, utc_now())

    def leave(self) -> str:
        return self.links.leave(self.contact.public_id, 1, utc_now())

    def event(self, purpose: Purpose, what: What) -> str:
        """The link of an event made for the occasion."""
        with self.database.write() as session:
            current = wishes.live(session, self.contact.id)
            made = events.record(
                session,
                self.contact.id,
                what,
                at=utc_now(),
                before_id=current.id if current else None,
                old_address=self.contact.address,
                new_address="neuve@exemple.quebec",
            )
        return self.links.event(purpose, made.public_id, utc_now())


@pytest.fixture
def coop(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    path = tmp_path / "coop.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = connect(f"sqlite:///{path}")
    now = utc_now()
    with database.write() as session:
        contact = entitled(
            session, "info", frequency="daily", sectors=[SNOW, CLEAN], own_words=["compost"]
        )
        lapsed = entitled(session, "ancien")
        session.execute(
            update(Membership)
            .where(Membership.member_id == lapsed.member_id)
            .values(ends_at=now - timedelta(days=1))
        )
        titles = ("Déneigement des stationnements", "Conciergerie", "Réfection de la toiture")
        for number in range(30):
            call, revision = tender(
                session,
                f"{70 + number}",
                title=f"{titles[number % 3]} — {'É' * number}",
                mrc="MRC Les Laurentides",
                place_basis="name",
                closes_at=now + timedelta(days=number + 1),
            )
            revision.published_at = now - timedelta(days=3)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with served(pages(database, tmp_path, root), listening):
            yield Served(root, Links(LINKS.keys, root), database, contact, lapsed, call.id)
    database.dispose()


Visit = Callable[[Page, Served], object]


def _go(path: str) -> Visit:
    return lambda page, coop: page.goto(coop.root + path)


def _press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def _change(page: Page, coop: Served) -> None:
    page.goto(coop.change())


def _preview(page: Page, coop: Served) -> None:
    _change(page, coop)
    page.uncheck(f"input[value={SNOW}]")
    page.fill("#exclus", "conciergerie")
    _press(page, "Voir ce que cela donnerait")


def _faults(page: Page, coop: Served) -> None:
    _change(page, coop)
    page.fill("#maximum", "900")
    page.fill("#lieux", "Atlantide")
    _press(page, "Enregistrer mes choix")


def _saved(page: Page, coop: Served) -> None:
    _change(page, coop)
    _press(page, "Enregistrer mes choix")


def _move_asked(page: Page, coop: Served) -> None:
    _change(page, coop)
    _press(page, "Changer d’adresse courriel")


def _proposed(page: Page, coop: Served) -> None:
    page.goto(coop.event(Purpose.MOVE, What.MOVE_ASKED))
    page.fill("#adresse", "neuve@exemple.quebec")
    _press(page, "Envoyer la confirmation")


def _undone(page: Page, coop: Served) -> None:
    page.goto(coop.event(Purpose.UNDO, What.CHANGED))
    _press(page, "Remettre mes choix d’avant")


def _lowered(page: Page, coop: Served) -> None:
    page.goto(coop.leave())
    _press(page, "Une pause de 30 jours")


def _link_asked(page: Page, coop: Served) -> None:
    page.goto(f"{coop.root}/p/x")
    _press(page, "Recevoir un nouveau lien")


def _hidden(page: Page, coop: Served) -> None:
    page.goto(f"{coop.change()}/avis/{coop.call}")
    _press(page, "Masquer")


def _left(page: Page, coop: Served) -> None:
    page.goto(coop.leave())
    _press(page, "Me désabonner")


def _gone(page: Page, coop: Served) -> None:
    _left(page, coop)
    _change(page, coop)


def _moved(page: Page, coop: Served) -> None:
    page.goto(coop.event(Purpose.CONFIRM, What.MOVE_PROPOSED))
    _press(page, "Confirmer cette adresse")


#: Every page by its heading, in an order in which each can be reached; the last two end it all.
EVERY: dict[str, Visit] = {
    "Alertes d’appels d’offres": _go("/"),
    "Recevoir un nouveau lien": _go("/lien"),
    "Vie privée": _go("/confidentialite"),
    "Ce lien ne fonctionne pas": _go("/d/x"),
    "Ce lien ne fonctionne pas ": _go("/p/x"),
    "Demande impossible": _go("/d/x/moins"),
    "Surveillez vos courriels": _link_asked,
    "Vous désabonner": lambda page, coop: page.goto(coop.leave()),
    "Vos choix": _change,
    "Vos choix ": _preview,
    "Vos choix  ": _faults,
    "Vos choix sont enregistrés": _saved,
    "Surveillez vos courriels ": _move_asked,
    "Votre nouvelle adresse courriel": lambda page, coop: page.goto(
        coop.event(Purpose.MOVE, What.MOVE_ASKED)
    ),
    "Surveillez la nouvelle adresse": _proposed,
    "Remettre vos choix d’avant": lambda page, coop: page.goto(
        coop.event(Purpose.UNDO, What.CHANGED)
    ),
    "C’est fait": _undone,
    "Avis ouverts": lambda page, coop: page.goto(f"{coop.change()}/avis"),
    "Avis ouverts ": lambda page, coop: page.goto(
        f"{coop.change()}/avis?mots=toiture&secteur={SNOW}"
    ),
    "Réfection de la toiture": _hidden,
    "Avis masqués": lambda page, coop: page.goto(f"{coop.change()}/avis?masques=1"),
    "Avis introuvable": lambda page, coop: page.goto(f"{coop.change()}/avis/99999"),
    "Votre adhésion n’est pas en cours": lambda page, coop: page.goto(
        f"{coop.change(coop.lapsed)}/avis"
    ),
    "Vos choix   ": lambda page, coop: page.goto(coop.change(coop.lapsed)),
    "C’est fait ": _lowered,
    "Vos choix    ": _change,
    "C’est fait  ": _left,
    "Vous ne recevez pas nos lettres": _gone,
    "Confirmer cette adresse": lambda page, coop: page.goto(
        coop.event(Purpose.CONFIRM, What.MOVE_PROPOSED)
    ),
    "C’est fait   ": _moved,
}


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", PHONE), ("dark", ZOOMED)], ids=["light-320", "dark-zoom"]
)
def test_axe_finds_nothing_and_nothing_overflows_on_every_page(
    browser: Browser, coop: Served, scheme: str, viewport: dict[str, int]
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=True,
        viewport=viewport,  # type: ignore[arg-type]
        device_scale_factor=2 if viewport is ZOOMED else 1,
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for heading, visit in EVERY.items():
        visit(page, coop)
        assert page.inner_text("h1").startswith(heading.strip())
        assert violations(page) == [], heading
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], heading
        # Letters twice as large, as a reader sets them.
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], heading
    assert [url for url in asked if not url.startswith(coop.root)] == []


def test_every_page_runs_in_a_browser_with_scripts_and_changes_nothing_by_itself(
    browser: Browser, coop: Served
) -> None:
    page = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    addresses = [coop.leave(), coop.change(), f"{coop.change()}/avis", f"{coop.root}/p/x"]
    addresses += [coop.event(Purpose.UNDO, What.CHANGED), f"{coop.root}/lien"]
    before = len(events_of(coop.database))
    for address in addresses:
        page.goto(address, wait_until="networkidle")
    assert set(methods) == {"GET"}
    assert len(events_of(coop.database)) == before


def test_without_javascript_a_reader_tries_saves_answers_and_leaves_on_a_phone(
    browser: Browser, coop: Served
) -> None:
    page = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()  # type: ignore[arg-type]
    page.goto(coop.change())
    page.check("input[name=frequence][value=weekly]")
    page.uncheck(f"input[value={CLEAN}]")
    _press(page, "Voir ce que cela donnerait")
    assert "vous auriez reçu 10" in page.inner_text("#apercu")
    assert "10\u00a0avis de moins" in page.inner_text("#apercu")
    _press(page, "Enregistrer mes choix")
    assert page.inner_text("h1") == "Vos choix sont enregistrés"
    page.get_by_role("link", name="Voir les avis ouverts").click()
    page.fill("#mots", "conciergeries")
    page.get_by_role("button", name="Chercher").click()
    page.locator(".notice a").first.click()
    _press(page, "M’intéresse")
    assert page.get_by_role("button", name="Ne m’intéresse plus").is_visible()
    page.goto(coop.leave())
    _press(page, "Me désabonner")
    assert page.inner_text("h1") == "C’est fait"
    with coop.database.read() as session:
        assert wishes.live(session, coop.contact.id) is None


def test_from_the_link_to_having_left_are_two_clicks_and_no_typed_field(
    browser: Browser, coop: Served
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(coop.leave())
    assert page.locator("input:not([type=hidden]):not([type=checkbox])").count() == 0
    _press(page, "Me désabonner")
    with coop.database.read() as session:
        assert wishes.live(session, coop.contact.id) is None
    assert page.context.cookies() == []


FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return [at.tagName, at.innerText || at.value || at.name || '', style.outlineStyle !== 'none'];
}"""


def test_by_keyboard_alone_every_control_is_reached_seen_and_left(
    browser: Browser, coop: Served
) -> None:
    page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
    for address in (coop.leave(), coop.change(), f"{coop.change()}/avis"):
        page.goto(address)
        controls = page.locator(
            "a[href], button, input:not([type=hidden]), textarea, summary, select"
        )
        count = sum(controls.nth(n).is_visible() for n in range(controls.count()))
        seen = []
        for _ in range(count + 5):
            page.keyboard.press("Tab")
            tag, name, outlined = page.evaluate(FOCUSED)
            if tag == "BODY":
                break
            assert outlined, (tag, name)
            seen.append((tag, name))
        assert page.evaluate(FOCUSED)[0] == "BODY", "the last control can be left"
        # Of the radio buttons of one question, Tab reaches the chosen one.
        assert len(seen) >= count - 2


def test_by_keyboard_alone_a_reader_leaves(browser: Browser, coop: Served) -> None:
    page = browser.new_context().new_page()
    page.goto(coop.leave())
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED)[1] == "Me désabonner":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/d/**")
    page.get_by_role("status").wait_for()
    with coop.database.read() as session:
        assert session.scalars(select(Event.what)).all() == [What.LEFT]


def test_a_limit_is_a_french_page_in_the_same_frame(
    browser: Browser, coop: Served, tmp_path: Path
) -> None:
    limits = Limits(failures=1)
    app = create(coop.database, coop.links, IDENTITY, CATALOGUE, postponed=tmp_path, limits=limits)
    with served(app) as root:
        page = browser.new_context(bypass_csp=True, viewport=PHONE).new_page()  # type: ignore[arg-type]
        page.goto(f"{root}/p/x")
        page.goto(f"{root}/p/x")
        assert page.inner_text("h1") == "Trop de demandes"
        assert violations(page) == []
