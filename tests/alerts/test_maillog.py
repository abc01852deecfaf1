"""The relay's log: what it proves, and of which time it may be believed when it says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from alerts import maillog

#: Lines of a Postfix 3.7.11 (Debian 12), with its own times: a letter queued, and one whose
#: client was gone before the final dot.
LINES = """\
{0} relais postfix/smtpd[26117]: connect from localhost[127.0.0.1]
{0} relais postfix/smtpd[26117]: 4jZNnl5HTlzSX4k: client=localhost[127.0.0.1]
{0} relais postfix/cleanup[26120]: 4jZNnl5HTlzSX4k: message-id=<recue@exemple.quebec>
{0} relais postfix/qmgr[26115]: 4jZNnl5HTlzSX4k: from=<a@exemple.quebec>, size=290, nrcpt=1 \
(queue active)
{1} relais postfix/smtpd[26117]: 4jZNnm11ZbzSX4q: client=localhost[127.0.0.1]
{1} relais postfix/cleanup[26120]: 4jZNnm11ZbzSX4q: message-id=<coupee@exemple.quebec>
{1} relais postfix/smtpd[26117]: lost connection after DATA (1043 bytes) from localhost[127.0.0.1]
"""
IDS = ("<recue@exemple.quebec>", "<coupee@exemple.quebec>", "<inconnue@exemple.quebec>")
AT = datetime(2026, 11, 25, 16, tzinfo=UTC)
FIRST, LAST = (
    datetime(2026, 11, 25, 15, 26, 51, tzinfo=UTC),
    datetime(2026, 11, 25, 15, 27, tzinfo=UTC),
)
SECOND = timedelta(seconds=1)


def _syslog(moment: datetime) -> str:
    return f"{moment.astimezone():%b %d %H:%M:%S}"


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(timezone(timedelta(hours=-5))).isoformat(timespec="microseconds")


STAMPS = [pytest.param(_syslog, id="syslog"), pytest.param(_rfc3339, id="RFC 3339")]


def _log(folder: Path, text: str, name: str = "mail.log") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("stamp", STAMPS)
def test_only_what_reached_the_queue_is_accepted(tmp_path: Path, stamp: object) -> None:
    assert callable(stamp)
    log = _log(tmp_path, LINES.format(stamp(FIRST), stamp(LAST)))
    told = maillog.evidence(log, IDS, at=AT)
    assert told.queued == {IDS[0]}
    assert (told.begins, told.ends) == (FIRST, LAST)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        pytest.param(FIRST - SECOND, False, id="before its first line"),
        pytest.param(FIRST, True, id="at its first line"),
        pytest.param(LAST + SECOND * 0.9, True, id="within the second of its last line"),
        pytest.param(LAST + SECOND, False, id="after its last line"),
    ],
)
def test_silence_is_believed_only_of_the_time_that_the_log_covers(
    tmp_path: Path, moment: datetime, *, covered: bool
) -> None:
    log = _log(tmp_path, LINES.format(_syslog(FIRST), _syslog(LAST)))
    assert maillog.evidence(log, IDS, at=AT).covers(moment) is covered


def test_an_empty_log_covers_nothing(tmp_path: Path) -> None:
    assert not maillog.evidence(_log(tmp_path, ""), IDS, at=AT).covers(AT)


def test_the_log_before_a_rotation_is_read_too(tmp_path: Path) -> None:
    _log(tmp_path, LINES.format(_syslog(FIRST), _syslog(LAST)), "mail.log.1")
    log = _log(tmp_path, f"{_syslog(AT)} relais postfix/anvil[1]: statistics\n")
    told = maillog.evidence(log, IDS, at=AT)
    assert told.queued == {IDS[0]}
    assert told.covers(LAST)


def test_a_syslog_date_of_december_is_last_year_s_in_january(tmp_path: Path) -> None:
    december = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    log = _log(tmp_path, LINES.format(_syslog(december), _syslog(december)))
    told = maillog.evidence(log, IDS, at=december + timedelta(hours=2))
    assert told.ends == december


@pytest.mark.parametrize(
    "garbage", ["", "\x00\x00\n", "2026-11-25 no zone\n", "Feb 30 10:00:00 x\n"]
)
def test_garbage_in_the_log_says_nothing(tmp_path: Path, garbage: str) -> None:
    log = _log(tmp_path, garbage + LINES.format(_syslog(FIRST), _syslog(LAST)))
    assert maillog.evidence(log, IDS, at=AT).queued == {IDS[0]}
