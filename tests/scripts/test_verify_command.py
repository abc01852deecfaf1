"""`alertes verifier`: what it prints, what it answers scripts, and that every finding has words."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alerts.doctor.findings import Check
from base import env_file, heartbeat
from base.clock import utc_now
from base.database import ready
from base.settings import FILE
from scripts import doctor_words
from scripts.doctor_words import SENTENCES
from sources.tables import Reading
from tests.background import in_background
from tests.conftest import Said
from tests.dnsserver import serving, text
from tests.mailserver import mail_server
from tests.webpages import pages, served

Alertes = Callable[..., Said]
ROOT = Path(__file__).parents[2]
KEY = "s0Ld-Qa7vJ2mXcB9TfYwRk5HnPz8GeUi"
DOMAIN = "exemple.quebec"
#: Where no selector is named, a zone without one is not accused.
ZONE = "\n".join(
    (
        f"{DOMAIN}. 60 IN MX 10 courriel.{DOMAIN}.",
        f"courriel.{DOMAIN}. 60 IN A 8.8.4.4",
        text(DOMAIN, "v=spf1 ip4:8.8.4.4 -all"),
        text(f"_dmarc.{DOMAIN}", f"v=DMARC1; p=none; rua=mailto:r@{DOMAIN}"),
        text(f"x7q._domainkey.{DOMAIN}", "v=DKIM1; p=AAAA"),
        "",
    )
)


def _settings(**more: str) -> None:
    env_file.put(
        FILE,
        {
            "TENANT_NAME": "Coop fictive",
            "POSTAL_ADDRESS": "1, rue Fictive, Saint-Jérôme (Québec) J7Z 1A1",
            "CONTACT_EMAIL": "bonjour@exemple.quebec",
            "PRIVACY_OFFICER": "Direction générale, 450 555-0100",
            "PUBLIC_URL": "http://127.0.0.1:1",
            "LINK_KEYS": KEY,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": "1",
            "SMTP_TLS": "none",
            "AUTHOR_EMAIL": "alertes@exemple.quebec",
            "BOUNCE_EMAIL": "retours@exemple.quebec",
            "LIST_DOMAIN": "exemple.quebec",
            "SEAO_PACKAGE_URL": "https://donnees.exemple.quebec/x",
            "FEDERAL_NOTICES": "false",
            **more,
        },
    )


def test_with_nothing_set_it_says_what_to_do_and_the_code_is_1(alertes: Alertes) -> None:
    said = alertes("verifier", "--dns", "127.0.0.1:1")
    assert said.code == 1
    assert "alertes installer" in said.out
    assert "alertes base creer" in said.out
    assert not Path("var").exists()


@pytest.mark.parametrize("ready_made", [False, True])
def test_every_line_fits_80_columns_without_colour(alertes: Alertes, ready_made: bool) -> None:
    if ready_made:
        _settings()
        alertes("base", "creer")
    said = alertes("verifier", "--dns", "127.0.0.1:1")
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert "\x1b" not in said.out


def test_json_names_every_check_once_at_least_and_holds_no_secret(alertes: Alertes) -> None:
    _settings(SMTP_USER="u", SMTP_PASSWORD="canari-secret")
    alertes("base", "creer")
    said = alertes("verifier", "--json", "--dns", "127.0.0.1:1")
    found = json.loads(said.out)
    assert (said.code, found["fine"]) == (1, False)
    order = [Check(one["check"]) for one in found["checks"]]
    assert list(dict.fromkeys(order)) == list(Check)
    assert all({"state", "cause", "sentence", "detail"} <= set(one) for one in found["checks"])
    assert KEY not in said.out
    assert "canari" not in said.out


def test_where_all_is_well_the_code_is_0_though_something_could_not_be_asked(
    alertes: Alertes, tmp_path: Path
) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "retours" / name).mkdir(parents=True)
    alertes("base", "creer")
    store = ready("sqlite:///var/alertes.sqlite3")
    with store.write() as session:
        heartbeat.beat(session, "service", at=utc_now())
        known = {"address": "https://donnees.exemple.quebec/x", "counts": {"releases": 1}}
        session.add(Reading(source="seao", at=utc_now(), **known))
    with (
        in_background(mail_server()) as mailbox,
        serving(ZONE) as zone,
        served(pages(store, tmp_path)) as root,
    ):
        _settings(
            PUBLIC_URL=root,
            SMTP_PORT=str(mailbox.port),
            MAIL_ALLOWED="*",
            BOUNCE_MAILBOX=f"maildir:{tmp_path / 'retours'}",
        )
        said = alertes("verifier", "--json", "--dns", f"127.0.0.1:{zone.port}")
        found = json.loads(said.out)["checks"]
    store.dispose()
    assert [one for one in found if one["state"] == "mend"] == []
    assert said.code == 0
    assert {one["check"] for one in found if one["state"] == "unknown"} == {"dkim", "ptr"}
    assert mailbox.received == []


@pytest.mark.parametrize("server", ["exemple.quebec", "127.0.0.1:mille", "9.9.9.9:0"])
def test_a_dns_server_is_an_address(alertes: Alertes, server: str) -> None:
    said = alertes("verifier", "--dns", server)
    assert (said.code, said.out) == (2, "")
    assert "n’est pas une adresse" in said.err


def _causes() -> Iterator[tuple[Check, str]]:
    """Each check and cause that the source of alerts/doctor names by its word."""
    for path in sorted((ROOT / "alerts" / "doctor").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {"fine", "mend", "unknown", "wrong"} or not node.args:
                continue
            check = ast.unparse(node.args[0])
            cause = node.args[1] if len(node.args) > 1 else ast.Constant("fine")
            if check.startswith("Check.") and isinstance(cause, ast.Constant):
                yield Check[check.removeprefix("Check.")], str(cause.value)


def test_every_finding_has_its_sentence_and_every_sentence_its_finding() -> None:
    named = set(_causes())
    assert len(named) > 60
    assert named - set(SENTENCES) == set()
    # Those that are named by a variable: found by the tests of their check.
    rest = {cause for _, cause in set(SENTENCES) - named}
    others = (ROOT / "sources" / "freshness.py", ROOT / "alerts" / "signing.py")
    files = (*(ROOT / "alerts" / "doctor").glob("*.py"), *others)
    source = "".join(path.read_text("utf-8") for path in files)
    assert {one for one in rest if f'"{one}"' not in source} <= {"shrunken", "changed"}
    assert set(doctor_words.CHECKS) == set(Check)
