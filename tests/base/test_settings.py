"""Settings: which variables there are, and what is said of those that are missing or wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from base import settings
from base.errors import SettingInvalid, SettingMissing
from base.settings import GROUPS, Identity, Keys, Relay, Sources, Store

ROOT = Path(__file__).parents[2]
WHO = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec/",
}


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_the_example_names_exactly_the_variables_that_are_read() -> None:
    written = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"(?m)^([A-Z_]+)=", written)
    read = [name.upper() for group in GROUPS for name in group.model_fields]
    assert sorted(named) == sorted(read)


def test_every_group_is_listed() -> None:
    groups = {one for one in vars(settings).values() if isinstance(one, type)}
    made = {one for one in groups if issubclass(one, BaseSettings)} - {BaseSettings, settings.Group}
    assert made == set(GROUPS)


def test_only_one_module_reads_the_environment() -> None:
    packages = ("alerts", "base", "pages", "scripts", "sources", "subscriptions")
    readers = [
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv\b|\bBaseSettings\b", path.read_text("utf-8"))
    ]
    assert readers == ["base/settings.py"]


def test_all_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **WHO)
    monkeypatch.delenv("POSTAL_ADDRESS")
    monkeypatch.setenv("TENANT_NAME", "")
    with pytest.raises(SettingMissing) as refused:
        Identity.read()
    assert sorted(refused.value.names) == ["POSTAL_ADDRESS", "TENANT_NAME"]


def test_a_root_address_is_https_and_loses_its_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, **WHO)
    assert Identity.read().public_url == "https://alertes.exemple.quebec"
    monkeypatch.setenv("PUBLIC_URL", "http://alertes.exemple.quebec")
    with pytest.raises(SettingInvalid, match="PUBLIC_URL"):
        Identity.read()


def test_mail_in_clear_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sends = {"AUTHOR_EMAIL": "a@x.quebec", "BOUNCE_EMAIL": "b@x.quebec", "LIST_DOMAIN": "x.quebec"}
    _set(monkeypatch, SMTP_HOST="relais.exemple.quebec", SMTP_TLS="none", **sends)
    with pytest.raises(SettingInvalid, match="SMTP_TLS"):
        Relay.read()
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    assert Relay.read().allowed() == frozenset()


def test_keys_are_long_and_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_KEYS", "courte")
    with pytest.raises(SettingInvalid, match="LINK_KEYS") as refused:
        Keys.read()
    assert "courte" not in str(refused.value)
    monkeypatch.setenv("LINK_KEYS", f"{'a' * 32} {'b' * 40}")
    keys = Keys.read()
    assert keys.as_list() == ["a" * 32, "b" * 40]
    assert "aaaa" not in repr(keys)


def test_reading_a_source_needs_no_variable() -> None:
    assert Store.read().database_url == "sqlite:///var/alertes.sqlite3"
    assert Sources.read().source_contact == ""


def test_an_authority_s_file_that_is_not_there_is_refused_before_any_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SMTP_HOST", "AUTHOR_EMAIL", "LIST_DOMAIN"):
        monkeypatch.setenv(name, "coop.exemple.quebec")
    monkeypatch.setenv("BOUNCE_EMAIL", "retours@coop.exemple.quebec")
    monkeypatch.setenv("SMTP_CA_FILE", "absente.pem")
    with pytest.raises(SettingInvalid) as refused:
        Relay.read()
    assert refused.value.name == "SMTP_CA_FILE"
