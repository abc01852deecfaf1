"""The pages in Debian's Chromium: without JavaScript, at 320 px, in light and in dark."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from base.clock import utc_now
from base.database import Database
from base.settings import Identity
from pages.app import create
from subscriptions import sectors, wishes
from subscriptions.links import Links
from subscriptions.members import add_contact, add_member
from subscriptions.wishes import Wishes

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]
PHONE = {"width": 320, "height": 640}

pytestmark = pytest.mark.browser


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium; where there is none the test is skipped, unless skips are forbidden."""
    if not CHROMIUM.exists():
        if os.environ.get("FORBID_SKIPS") == "1":
            pytest.fail(f"no browser at {CHROMIUM}, and skips are forbidden")
        pytest.skip(f"NO BROWSER at {CHROMIUM}: the pages were not tried in one")
    with sync_playwright() as play:
        path = str(CHROMIUM)
        opened = play.chromium.launch(executable_path=path, chromium_sandbox=False, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def addresses(database: Database) -> Iterator[tuple[str, str, str]]:
    """A served contact's pages: to change, to leave, and a dead link."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        links, at = Links(("k" * 32,), root), utc_now()
        with database.write() as session:
            member = add_member(session, "Coop fictive", at=at)
            contact = add_contact(session, member.id, "info@exemple.quebec", at=at)
            asked = Wishes(frequency="weekly", sectors=(next(iter(sectors.load())).slug,))
            wishes.subscribe(session, contact.id, asked, origin="roster", at=at)
        identity = Identity(
            tenant_name="Coop fictive",
            postal_address="1, rue Fictive, Ville-Fictive (Québec)  J0J 0J0",
            contact_email="bonjour@exemple.quebec",
            privacy_officer="Direction générale, 450 555-0100",
            public_url=root,
        )
        app = create(database, links, identity, sectors.load())
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        who = (contact.public_id, 1, at)
        yield links.change(*who), links.leave(*who), f"{root}/d/x"
        server.should_exit = True
        thread.join()


def test_a_reader_changes_and_leaves_without_javascript_on_a_phone(
    browser: Browser, addresses: tuple[str, str, str]
) -> None:
    page = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.goto(addresses[0])
    page.check("input[value=daily]")
    page.click("button")
    assert page.inner_text("h1") == "Vos choix sont enregistrés"
    page.goto(addresses[1])
    page.click("button")
    assert page.inner_text("h1") == "Vous êtes désabonné"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, addresses: tuple[str, str, str], scheme: str
) -> None:
    page = browser.new_context(color_scheme=scheme, bypass_csp=True, viewport=PHONE).new_page()
    for address in addresses:
        page.goto(address)
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in {"serious", "critical"}] == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
