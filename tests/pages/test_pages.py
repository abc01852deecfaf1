"""The pages: GET changes nothing, POST does, and nothing can be probed or broken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from base.clock import utc_now
from base.database import Database
from subscriptions import wishes
from subscriptions.tables import Contact
from tests.webpages import FIRST, LINKS, ROOT, SECOND, change_path, form, leave_path, served

ONE_CLICK = "List-Unsubscribe=One-Click"
DISPOSITION = 'Content-Disposition: form-data; name="List-Unsubscribe"'
MULTIPART = f"--b\r\n{DISPOSITION}\r\n\r\nOne-Click\r\n--b--\r\n"
BODIES = [
    pytest.param("application/x-www-form-urlencoded", ONE_CLICK.encode(), id="urlencoded"),
    pytest.param("multipart/form-data; boundary=b", MULTIPART.encode(), id="multipart"),
    pytest.param("text/plain", b"\x00\xff\xfe<script>", id="bytes that are no text"),
    pytest.param("", b"", id="nothing"),
    pytest.param("application/json", b"x" * 10_000_000, id="10 MB"),
]


def asked(database: Database, contact: Contact) -> list[tuple[str, tuple[str, ...], str]]:
    with database.read() as session:
        rows = wishes.history(session, contact.id)
    return [(r.frequency, tuple(r.sectors), r.end_reason) for r in rows]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_only_post_changes_anything(
    client: TestClient, database: Database, contact: Contact, method: str
) -> None:
    for path in (leave_path(contact), change_path(contact)):
        assert client.request(method, path).status_code in {200, 405}
    assert asked(database, contact) == [("weekly", (FIRST,), "")]


@pytest.mark.parametrize(("media_type", "body"), BODIES)
def test_one_click_takes_any_body_over_a_real_socket_twice(
    app: Starlette, database: Database, contact: Contact, media_type: str, body: bytes
) -> None:
    with served(app) as root, httpx2.Client(trust_env=False) as http:
        headers = {"Content-Type": media_type} if media_type else {}
        url = root + leave_path(contact)
        first, again = (http.post(url, content=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.text == again.text
    assert "set-cookie" not in first.headers
    assert asked(database, contact) == [("weekly", (FIRST,), "unsubscribed")]


def test_a_deleted_contact_gets_the_same_kind_answer(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = leave_path(contact)
    known = client.post(path)
    with database.write() as session:
        session.delete(session.get_one(Contact, contact.id))
    assert (client.post(path).status_code, client.post(path).text) == (200, known.text)


def test_a_refused_link_says_nothing_of_why(
    client: TestClient, database: Database, contact: Contact
) -> None:
    expired = change_path(contact, utc_now() - timedelta(days=32))
    stranger = LINKS.change("00" * 8, 1, utc_now()).removeprefix(ROOT)
    crossed = leave_path(contact).replace("/d/", "/p/")
    revoked = change_path(contact)
    with database.write() as session:
        session.get_one(Contact, contact.id).link_version = 2
    to_change = [expired, stranger, crossed, revoked, "/p/x", "/p/%00%ff", "/p/" + "A" * 5000]
    to_leave = ["/d/x", "/d/%00%ff", "/d/" + "A" * 5000, "/x"]
    for paths in (to_change, to_leave):
        answers = {(r.status_code, r.text) for p in paths for r in (client.get(p), client.post(p))}
        assert {status for status, _ in answers} == {404}
        assert len(answers) == 1


def test_saving_changes_frequency_and_sectors_once(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    for _ in range(2):
        assert client.post(path, data=form(path, FIRST, SECOND)).status_code == 200
    expected = [("weekly", (FIRST,), "changed"), ("daily", (FIRST, SECOND), "")]
    assert asked(database, contact) == expected


def test_20_saves_at_once_are_one_change(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: client.post(path, data=form(path, SECOND)), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked(database, contact)) == 2


@pytest.mark.parametrize(
    ("chosen", "frequency"),
    [((), "daily"), (("<script>",), "daily"), ((FIRST,), "<script>"), ((FIRST, "\x00"), "weekly")],
    ids=["no sector", "script", "frequency", "nul"],
)
def test_a_wrong_form_saves_nothing(
    client: TestClient, database: Database, contact: Contact, chosen: tuple[str], frequency: str
) -> None:
    path = change_path(contact)
    answer = client.post(path, data=form(path, *chosen, frequency=frequency))
    assert answer.status_code == 400
    assert "À corriger" in answer.text
    assert "<script" not in answer.text
    assert len(asked(database, contact)) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"frequence=daily&secteur=x", 403),
        ({"Origin": "https://ailleurs.exemple.invalid"}, b"", 403),
        ({"Sec-Fetch-Site": "cross-site"}, b"", 403),
        ({}, b"x" * 10_000_000, 413),
        ({}, b"sceau=%ff", 400),
        ({}, b"\xff\xfe", 400),
        ({}, b"a&" * 600, 400),
    ],
    ids=["no seal", "origin", "fetch site", "10 MB", "escaped bytes", "bytes", "600 fields"],
)
def test_a_foreign_or_broken_form_is_refused_in_french(
    client: TestClient, contact: Contact, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = client.post(change_path(contact), content=body, headers=headers)
    assert answer.status_code == status
    assert "protection des renseignements personnels" in answer.text


def test_no_page_shows_who_the_reader_is(client: TestClient, contact: Contact) -> None:
    shown = client.get(leave_path(contact)).text + client.get(change_path(contact)).text
    assert contact.address not in shown
    assert contact.name not in shown
    assert "Coop fictive info" not in shown


def test_every_answer_has_the_security_headers(client: TestClient, contact: Contact) -> None:
    paths = ["/", "/sante", "/style.css", "/x", leave_path(contact), change_path(contact)]
    answers = [client.get(p) for p in paths] + [client.put("/")]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_fault_of_ours_is_a_french_page(app: Starlette, contact: Contact) -> None:
    app.add_route("/panne", lambda request: 1 / 0)
    answer = TestClient(app, ROOT, raise_server_exceptions=False).get("/panne")
    assert (answer.status_code, answer.headers["x-robots-tag"][:7]) == (500, "noindex")
    assert "erreur de notre côté" in answer.text


def test_a_link_from_400_days_ago_still_leaves(
    client: TestClient, database: Database, contact: Contact
) -> None:
    then = datetime.now(UTC) - timedelta(days=400)
    client.post(LINKS.leave(contact.public_id, 1, then).removeprefix(ROOT))
    assert asked(database, contact)[-1][2] == "unsubscribed"
