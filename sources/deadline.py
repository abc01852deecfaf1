"""The moment at which bids close, read in French prose. Pure; never raises.

Municipal sites write it in sentences: «Les soumissions doivent être reçues avant 10 h, le jeudi
2 octobre 2025». What was read is returned with its sentence, so that a person can check it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from base.clock import QUEBEC
from base.french import DAYS, MONTHS
from base.text import fold

#: Characters of the sentence kept as evidence.
_EVIDENCE = 300
#: Sentences of one text that are looked at.
_MOST = 400
#: A call that would close later than this after its publication is an error of typing.
_LONGEST = timedelta(days=5 * 366)
#: Where only a day is said, or midnight: the day is not over before.
_LAST_MINUTE = time(23, 59)

_SHORT = ["jan", "janv", "fev", "fevr", "avr", "juil", "juill", "aou", "sept", "oct", "nov", "dec"]
_MONTH = {fold(name): number for number, name in enumerate(MONTHS, start=1)} | dict(
    zip(_SHORT, (1, 1, 2, 2, 4, 7, 7, 8, 9, 10, 11, 12), strict=True)
)
_WEEKDAY = {fold(name): number for number, name in enumerate(DAYS)}

# All of these read folded text, in which every sign but ":" and "/" is a blank.
_DAY = re.compile(
    rf"\b(?:(?P<weekday>{'|'.join(_WEEKDAY)}) )?(?P<day>[0-3]?[0-9])(?: ?(?:er|e))? "
    rf"(?P<month>{'|'.join(sorted(_MONTH, key=len, reverse=True))})\b"
    r"(?: (?P<year>[12][0-9]{3})\b|(?! [0-9]{3}))"
)
_ISO_DAY = re.compile(r"\b(?P<year>20[0-9]{2}) (?P<month>[01][0-9]) (?P<day>[0-3][0-9])\b")
_HOUR = re.compile(
    r"\b(?P<hour>[0-2]?[0-9]) ?(?:(?:h|heures?|hres?|hrs?)(?: ?(?P<minute>[0-5][0-9])\b(?! ?h))?"
    r"|:(?P<minutes>[0-5][0-9])(?: ?h\b)?)(?::[0-5][0-9])?(?: (?P<half>am|pm|a m|p m)\b)?"
    r"(?![0-9a-z])"
)
_NOON = re.compile(r"\b(?P<noon>midi|minuit)\b")
#: «de 8 h à 16 h» are an office's hours.
_OPENING = re.compile(r"\bde [0-9 :h]{1,7} a [0-9 :h]{1,7}|\bentre [0-9 :h]{1,7} et [0-9 :h]{1,7}")

#: A postponement, which is surest.
_SUREST, _POSTPONED = 4, re.compile(r"\b(report|prolong|repouss|prorog)\w*|\bnouvelle (date|heure)")
#: Folded words of a sentence, and how surely they say that bids close: a new moment wins.
_CUES = (
    (_SUREST, _POSTPONED),
    (
        3,
        re.compile(
            r"\b(soumission|offre|proposition|candidature|pli|prix)s?\b.{0,120}\b(recu|recev|recept|depos"
            r"|depot|remis|remet|parven|achemin|transmi|transmet|presente|envoy|cloture|ouvert)"
            r"|\b(reception|depot|cloture|fermeture|remise|ouverture)\b"
            r"|\bdate (et heure )?limite|\bdate butoir|\becheance\b|\bdate de fermeture"
        ),
    ),
    (2, re.compile(r"\b(au plus tard|avant|jusqu'(au|a)|d'ici)\b")),
)
#: What else has a date in such a text, and is no closing of bids: what is said before bids are
#: spoken of is what the sentence is about.
_OTHER_SUBJECT = re.compile(
    r"\b(visite|question|renseignement|demandes? d'information|reunion|rencontre|precision)"
)
_OTHERWISE = re.compile(
    rf"{_OTHER_SUBJECT.pattern}"
    r"|\b(seance|assemblee|conseil|debut|travaux (debut|commenc)|adopt|resolution|publi|affich"
    r"|donne a|signe|entrevue|en vigueur (le|depuis)|periode d'execution|fin des travaux|valides?)"
)
_BIDS = re.compile(r"\b(soumission|offre|proposition|candidature|pli)s?\b")
_END = re.compile(
    r"(?<=[.!?;•])\s+(?=[A-ZÀ-ÖØ-Þ«•\-–])(?<!\bM\.\s)(?<!\bno\.\s)|\s*[•▪●]\s*|\s[-–—]\s(?=Date)"
)


#: Characters between a day and its hour: «à», «avant», «heure locale».
_BESIDE = 25

#: Start, end, and what stands there.
_Day = tuple[int, int, date]
_Hour = tuple[int, int, time]


@dataclass(frozen=True, slots=True)
class Deadline:
    """When bids close, and the words that say it."""

    closes_at: datetime
    #: The sentence as written, at most 300 characters.
    sentence: str


@dataclass(frozen=True, slots=True)
class _Found:
    surety: int
    #: Where it stands in the text: of two that are as sure, the first counts.
    position: int
    moment: datetime
    sentence: str


def find(lines: Iterable[str], *, published_at: datetime | None) -> Deadline | None:
    """The closing moment that the lines of a text tell, None where they tell none.

    Hours are Québec wall time; of an hour that comes twice, the earlier. A day without hour, and
    «minuit», is its last minute. A day without year is the first one on or after `published_at`
    (of that weekday, where one is said), and nothing where that is unknown. Days and months as
    numbers («02/10/2025») are not read, since both orders are in use; «2025-10-02» is.
    """
    found = [
        _Found(surety, position, moment, sentence)
        for position, sentence in enumerate(_sentences(lines))
        if (surety := _surety(sentence)) and (moment := _moment(sentence, published_at, surety))
    ]
    if not found:
        return None
    best = min(found, key=lambda one: (-one.surety, one.position))
    return Deadline(best.moment, _cut(best.sentence))


def day(written: str) -> datetime | None:
    """The beginning of the first day named in a text («mar., 05 nov. 2026»), in Québec."""
    days = list(_days(_folded(written), None))
    return _utc(days[0][2], time(0)) if days else None


def _sentences(lines: Iterable[str]) -> Iterator[str]:
    """Sentences; «Date limite :» goes with the line below it."""
    held, count = "", 0
    for line in lines:
        for piece in filter(None, map(str.strip, _END.split(line))):
            sentence = f"{held} {piece}" if held else piece
            held = ""
            if sentence.endswith(":") and len(sentence) < _EVIDENCE:
                held = sentence
            elif count < _MOST:
                count += 1
                yield sentence[:2000]
    if held:
        yield held


def _surety(sentence: str) -> int:
    """How surely a sentence is about the closing of bids; 0 where it is not."""
    folded = fold(sentence)
    surety = next((sure for sure, cue in _CUES if cue.search(folded)), 0)
    if not _OTHERWISE.search(folded):
        return surety
    # «Les soumissions seront ouvertes publiquement le …» is about bids all the same.
    bids, other = _BIDS.search(folded), _OTHER_SUBJECT.search(folded)
    foremost = bids is not None and (other is None or bids.start() < other.start())
    return surety if surety >= 3 and foremost else 0


def _moment(sentence: str, published_at: datetime | None, surety: int) -> datetime | None:
    """The last day of a sentence that has an hour beside it, else the last day.

    Of a postponement, the first day after its word.
    """
    folded = _folded(sentence)
    days = sorted(_days(folded, published_at))
    if surety == _SUREST and (word := _POSTPONED.search(folded)):
        days = [day for day in days if day[0] > word.start()][:1] or days
    if not days:
        return None
    closed = _OPENING.sub(lambda m: " " * len(m[0]), folded)
    hours = list(_hours(closed)) or list(_hours(folded))[-1:]
    gaps = [min((_gap(day, hour), hour[2]) for hour in hours) for day in days] if hours else []
    beside = max(min(gaps, default=(0, _LAST_MINUTE))[0], _BESIDE)
    chosen = [(day, hour) for day, (gap, hour) in zip(days, gaps, strict=False) if gap <= beside]
    day, hour = chosen[-1] if chosen else (days[-1], _LAST_MINUTE)
    moment = _utc(day[2], hour)
    absurd = moment.year < 2000 or moment - (published_at or moment) > _LONGEST
    return None if absurd else moment


def _gap(day: _Day, hour: _Hour) -> int:
    """Characters between them."""
    return max(hour[0] - day[1], day[0] - hour[1])


def _folded(text: str) -> str:
    """As `fold`, with the colons of «10:00» kept."""
    parts = re.split(r"(?<=[0-9]):(?=[0-9])", text)
    return ":".join(map(fold, parts))


def _days(folded: str, published_at: datetime | None) -> Iterator[_Day]:
    for match in _ISO_DAY.finditer(folded):
        if found := _date(int(match["year"]), int(match["month"]), int(match["day"])):
            yield match.start(), match.end(), found
    for match in _DAY.finditer(folded):
        month, number = _MONTH[match["month"]], int(match["day"])
        if match["year"]:
            found = _date(int(match["year"]), month, number)
        else:
            found = _next(published_at, month, number, match["weekday"])
        if found:
            yield match.start(), match.end(), found


def _next(since: datetime | None, month: int, number: int, weekday: str | None) -> date | None:
    """The first such day on or after `since`, None where it is unknown."""
    if since is None:
        return None
    first = since.astimezone(QUEBEC).date()
    days = [_date(year, month, number) for year in (first.year, first.year + 1)]
    coming = [one for one in days if one and one >= first]
    same = [one for one in coming if weekday and one.weekday() == _WEEKDAY[weekday]]
    return next(iter(same or coming), None)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _hours(folded: str) -> Iterator[_Hour]:
    for match in _HOUR.finditer(folded):
        hour, minute = int(match["hour"]), int(match["minute"] or match["minutes"] or 0)
        half = (match["half"] or "").replace(" ", "")
        if half == "pm" and hour < 12:
            hour += 12
        if hour == 24:
            yield match.start(), match.end(), _LAST_MINUTE
        elif hour < 24:
            yield match.start(), match.end(), time(hour, minute)
    for match in _NOON.finditer(folded):
        noon = match["noon"] == "midi"
        yield match.start(), match.end(), time(12) if noon else _LAST_MINUTE


def _utc(found: date, hour: time) -> datetime:
    return datetime.combine(found, hour, QUEBEC).astimezone(UTC)


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _EVIDENCE else f"{sentence[: _EVIDENCE - 1].rstrip(' ')}…"
