"""The settings' file is rewritten as a whole, or not at all, and keeps what is not asked for."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from base import env_file, settings
from base.env_file import put, rewritten
from base.settings import written

FILE = Path(".env")
#: One line of anything that can be typed.
LINES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=40
).map(str.strip)


@given(LINES)
@example('l\'été "$HOME" #1')
@example(r"a\'b\\n")
@example("${SMTP_USER}")
@example("$${A}{B}")
@example("100 % + = `x`")
def test_what_is_written_is_what_is_read(value: str) -> None:
    FILE.unlink(missing_ok=True)
    put(FILE, {"SMTP_USER": "canari", "SMTP_PASSWORD": value})
    assert written().get("SMTP_PASSWORD", "") == value
    once = FILE.read_bytes()
    put(FILE, {"SMTP_USER": "canari", "SMTP_PASSWORD": value})
    assert FILE.read_bytes() == once


def test_other_lines_their_order_and_their_ends_stay() -> None:
    before = (
        "# à garder\r\n\r\nAUTRE=1\r\nSMTP_HOST = ancien # note\r\nexport X='a\nb'\r\nmal formé\r\n"
    )
    after = rewritten(before, {"SMTP_HOST": "nouveau.exemple.quebec", "SMTP_PORT": "465"})
    assert after == before.replace(
        "SMTP_HOST = ancien # note", "SMTP_HOST=nouveau.exemple.quebec"
    ) + ("SMTP_PORT=465\n")


def test_of_two_lines_the_one_that_counts_is_changed() -> None:
    after = rewritten("SMTP_HOST=un\nSMTP_HOST=deux", {"SMTP_HOST": "trois"})
    assert after == "SMTP_HOST=un\nSMTP_HOST=trois\n"


def test_a_key_that_is_replaced_stays_as_a_comment() -> None:
    after = rewritten("LINK_KEYS='courte'\n", {"LINK_KEYS": "k" * 32}, kept={"LINK_KEYS"})
    assert after == f"# LINK_KEYS='courte'\nLINK_KEYS={'k' * 32}\n"


def test_only_its_owner_reads_it_whatever_it_was_before() -> None:
    FILE.write_text("A=1\n", "utf-8")
    FILE.chmod(0o604)
    put(FILE, {"SMTP_PASSWORD": "canari"})
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


def test_the_file_that_a_link_leads_to_is_rewritten(tmp_path: Path) -> None:
    real = tmp_path / "reglages" / "env"
    real.parent.mkdir()
    real.write_text("A=1\n", "utf-8")
    FILE.symlink_to(real)
    put(FILE, {"B": "2"})
    assert FILE.is_symlink()
    assert real.read_text("utf-8") == "A=1\nB=2\n"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    FILE.write_text("A=1\n", "utf-8")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(*((env_file.os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(KeyboardInterrupt):
        put(FILE, {"B": "2"})
    assert [one.name for one in Path().iterdir()] == [".env"]
    assert FILE.read_text("utf-8") == "A=1\n"


def test_a_value_of_several_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="TENANT_NAME"):
        rewritten("", {"TENANT_NAME": "une\nautre"})


def test_the_environment_wins_over_the_file_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    put(FILE, {"SMTP_HOST": "du-fichier", "SMTP_USER": "u", "AUTRE": "x"})
    monkeypatch.setenv("SMTP_HOST", "de-l-environnement")
    assert written() == {"SMTP_HOST": "de-l-environnement", "SMTP_USER": "u"}
    assert settings.from_environment() == {"SMTP_HOST"}


def test_one_answer_is_judged_among_the_others() -> None:
    home = {"SMTP_HOST": "127.0.0.1", "SMTP_TLS": "none"}
    assert settings.is_usable("SMTP_TLS", home)
    assert not settings.is_usable("SMTP_TLS", {**home, "SMTP_HOST": "relais.exemple.quebec"})
    assert not settings.is_usable("LINK_KEYS", {})
    assert settings.is_usable("SMTP_USER", {})


@pytest.fixture
def _own_logs() -> Iterator[None]:
    """The service sets the logs up for its process: taken back at the end of the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_own_logs")
@pytest.mark.parametrize("module", ["alerts", "scripts"])
def test_a_file_that_is_not_utf_8_is_said_to_be_so(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    FILE.write_bytes("TENANT_NAME=Coopérative".encode("cp1252"))
    monkeypatch.setattr("sys.argv", ["alertes", "envois", "envoyer"])
    main = import_module(f"{module}.__main__").main
    with pytest.raises(SystemExit) as ended:
        main()
    assert "UTF-8" in f"{ended.value.code}{capsys.readouterr().err}"


@pytest.mark.usefixtures("_own_logs")
def test_the_service_says_in_french_what_its_settings_lack() -> None:
    from alerts.__main__ import main  # noqa: PLC0415, one use

    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value.code).startswith("Réglage manquant\u00a0: SMTP_HOST")
