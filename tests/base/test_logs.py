"""A log is lines of JSON, and has nobody's address, token or key; the tests' own ear hears them."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest

from base import logs
from base.logs import HIDDEN, Lines
from tests.canaries import Canaries
from tests.coop import AT, DESK

KEY = "une-cle-d-essai-assez-longue-pour-signer"
TOKEN = DESK.links.leave("0123456789abcdef", 1, AT).rpartition("/")[2]


def _logger(handler: logging.Handler) -> logging.Logger:
    """One that only `handler` hears."""
    logger = logging.getLogger("essai")
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    return logger


def _refuse(words: str) -> None:
    raise ValueError(words)


def _line(message: str, *args: object, **extra: object) -> dict[str, object]:
    """What one record becomes, from a logger of its own."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Lines([KEY]))
    logger = _logger(handler)
    error = bool(extra.pop("failed", False))
    logger.log(logging.ERROR, message, *args, extra=extra, exc_info=error)
    (line,) = written.getvalue().splitlines()
    read: dict[str, object] = json.loads(line)
    return read


def test_a_record_is_one_line_with_its_fields() -> None:
    line = _line("letter %s", "refused", letter=12, counts={"new": 3, "of": [1, None, True]})
    assert datetime.fromisoformat(str(line.pop("at"))).tzinfo == UTC
    assert line == {
        "level": "error",
        "logger": "essai",
        "event": "letter refused",
        "letter": 12,
        "counts": {"new": 3, "of": [1, None, True]},
    }


@pytest.mark.parametrize(
    "secret",
    [
        "canari-1@exemple.quebec",
        "<o’connor+avis@sous.exemple.quebec>",
        "canari%40exemple.quebec",
        "postgresql+psycopg://alertes:mot-de-passe@base.exemple/alertes",
        TOKEN,
        f"/d/{TOKEN}/moins",
        KEY,
        "Zk3nB1w8Qm0vT5yRj7uXc2sLp9eHa4dGfKi6oNbV1zM",
    ],
)
@pytest.mark.parametrize("where", ["message", "argument", "field", "inner", "trace"])
def test_what_slips_in_is_taken_out(secret: str, where: str) -> None:
    try:
        _refuse(f"refused: {secret}\nnext line")
    except ValueError:
        line = {
            "message": lambda: _line(f"said {secret}"),
            "argument": lambda: _line("said %s", secret),
            "field": lambda: _line("said", words=secret),
            "inner": lambda: _line("said", words=[{"inner": (secret,)}]),
            "trace": lambda: _line("said", failed=True),
        }[where]()
    told = json.dumps(line, ensure_ascii=False)
    bare = secret.strip("<>").rpartition("/d/")[2].removesuffix("/moins")
    assert bare not in told
    assert "exemple" not in told
    assert HIDDEN in told


def test_ids_names_of_files_and_of_functions_stay() -> None:
    line = _line("file alerts/editions.py", letter="digest:weekly:2026-W39:12", key="seao_search")
    assert HIDDEN not in json.dumps(line, ensure_ascii=False)


def test_setting_up_twice_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logs.set_up()
        logs.set_up(secrets=[KEY])
        logging.getLogger("autre").info("une clé: %s", KEY)
        assert len(capsys.readouterr().err.splitlines()) == 1
    finally:
        logging.getLogger().handlers[:] = before
        logging.getLogger().setLevel(logging.WARNING)


@pytest.mark.parametrize("carried", ["anne@exemple.quebec", TOKEN, KEY, "Personne fictive anne"])
def test_the_ear_of_the_tests_hears_an_address_a_token_a_key_and_a_name(carried: str) -> None:
    canaries = Canaries()
    logger = _logger(canaries)
    logger.info("rien")
    logger.info("said", extra={"words": carried})
    try:
        _refuse(carried)
    except ValueError:
        logger.exception("failed")
    assert (canaries.looked_at, len(canaries.found)) == (3, 2)
