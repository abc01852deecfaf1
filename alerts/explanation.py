"""Why a contact was told of a notice, or was not: from recorded facts, pure.

Everything that happened is a row: what was told and by which letter, what each edition decided
for the contact, what the contact asked for at the time, what the sources said at the time. Only
whether a notice answered a subscription is worked out again, where no near miss was kept of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from alerts.classification import THRESHOLD, Classified
from alerts.digest import Reason
from alerts.known import Asked, Known, LetterFacts, Turn, Version
from alerts.matching import Match, NearMiss, Wanted, match
from alerts.rhythm import GROUPED
from alerts.tables import LetterState, Stream, ToldState, Why
from alerts.waiting import Waits, waits
from base.french import days_left
from subscriptions.tables import Frequency


class Because(StrEnum):
    """The answer in one word; the first eight are of a letter that has the notice."""

    ACCEPTED = "accepted"  #: told: the relay took charge of the letter
    WAITING = "waiting"  #: in a letter that waits for its turn
    HELD = "held"  #: in a letter, and everything is held
    IN_COURSE = "in course"  #: in a letter that is being handed over
    UNCERTAIN = "uncertain"  #: in a letter of which nobody knows whether it arrived
    REFUSED = "refused"  #: in a letter that the relay refused
    WITHDRAWN = "withdrawn"  #: in a letter that was not let go: see `why`
    QUARANTINED = "quarantined"  #: in a letter that could not be composed
    OMITTED = "omitted"  #: the contact was not written to: see `why`
    LACKED = "lacked"  #: the notice did not answer the subscription: see `lacked`
    UNSEEN = "unseen"  #: no source has shown it to us
    BACKLOG = "backlog"  #: first seen too late to be news: staff decide about it
    NOT_YET = "not yet"  #: it waits for the next letter
    CLOSED = "closed"  #: it closed before a letter could have it
    CANCELLED = "cancelled"  #: it was cancelled, or ended, before a letter could have it
    JOINED_AFTER = "joined after"  #: the contact came when it had closed
    RULES_CHANGED = "rules changed"  #: it answers now; the day it was looked at it did not


_OF_LETTER = {
    LetterState.WRITTEN: Because.WAITING,
    LetterState.DEFERRED: Because.WAITING,
    LetterState.CLAIMED: Because.IN_COURSE,
    LetterState.IN_DOUBT: Because.IN_COURSE,
    LetterState.ACCEPTED: Because.ACCEPTED,
    LetterState.REFUSED: Because.REFUSED,
    LetterState.UNKNOWN: Because.UNCERTAIN,
    LetterState.WITHDRAWN: Because.WITHDRAWN,
    LetterState.QUARANTINED: Because.QUARANTINED,
    LetterState.STALE: Because.WAITING,
}
#: What an edition decides when it writes no letter although the contact may be written to.
_LOOKED = (None, Why.NOTHING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why, with what it is known from."""

    because: Because
    #: When it was decided or happened.
    at: datetime | None = None
    #: When a source first showed the call.
    seen_at: datetime | None = None
    closes_at: datetime | None = None
    letter: LetterFacts | None = None
    #: "2026-W39", or "" where no edition decided.
    edition: str = ""
    #: Of OMITTED and WITHDRAWN; of REFUSED, why a later edition did not write.
    why: Why | None = None
    #: What lacked; beside OMITTED where it would have lacked anyway.
    lacked: NearMiss | None = None
    reasons: tuple[Reason, ...] = ()
    #: The sectors that the call was of, and what the contact asked for, at that moment.
    sectors: tuple[Classified, ...] = ()
    asked: Wanted | None = None
    #: True where the next letter will have it, as things stand.
    again: bool = False
    #: Of NOT_YET: when that letter is due.
    waits: Waits | None = None
    #: True where a letter at once told it to one whose own letters come on Mondays.
    promoted: bool = False


def explain(known: Known, *, at: datetime) -> Explanation:
    """Why that contact was, or was not, told of that call, as of `at`; never without an answer."""
    if not known.versions:
        return Explanation(because=Because.UNSEEN)
    if known.told:
        found = _told(known)
    elif known.backlog:
        found = Explanation(because=Because.BACKLOG, at=known.versions[0].since)
    else:
        found = _not_told(known, at)
    moment = found.at or at
    asked = _asked(known.asked, moment)
    classified = _version(known.versions, moment).classified
    return replace(
        found,
        seen_at=known.versions[0].since,
        closes_at=known.versions[-1].closes_at,
        sectors=tuple(one for one in classified if one.score >= THRESHOLD),
        asked=asked.wanted if asked else None,
        again=_comes_again(known, found, at),
        waits=_waits(known, found, at),
        promoted=_is_promoted(known, found, asked),
    )


#: Rows of the ledger, those that say most first.
_WEIGHT = (ToldState.CONFIRMED, ToldState.RESERVED, ToldState.UNCERTAIN, ToldState.RELEASED)


def _told(known: Known) -> Explanation:
    told = min(known.told, key=lambda one: _WEIGHT.index(ToldState(one.state)))
    letter = told.letter
    because = _OF_LETTER.get(LetterState(letter.state), Because.WAITING)
    why = Why(letter.why) if letter.why and because is Because.WITHDRAWN else None
    if because is Because.WAITING and known.held:
        because = Because.HELD
    if because is Because.REFUSED:
        later = [t.why for t in known.turns if t.at > letter.written_at]
        why = later[-1] if later else None
    return Explanation(
        because=because,
        at=letter.settled_at or told.at,
        letter=letter,
        edition=letter.edition,
        why=why,
        reasons=told.reasons,
    )


def _not_told(known: Known, at: datetime) -> Explanation:
    first = known.versions[0].since
    turns = [turn for turn in known.turns if turn.at >= first]
    turns = [turn for turn in turns if _looks_at_all(known, turn, first)]
    looked = [turn for turn in turns if _version(known.versions, turn.at).is_open(turn.at)]
    if looked:
        return _decided(known, looked[-1])
    return _undecided(known, turns[0] if turns else None, at)


def _looks_at_all(known: Known, turn: Turn, first: datetime) -> bool:
    """Whether that edition had to tell of the call, seen first at that moment, if it was for it.

    A letter at once tells all to who asked for that, though perhaps not what came within the
    same minutes; to others it tells what could not wait. Other streams tell nothing new.
    """
    if turn.stream is not Stream.INSTANT:
        return turn.stream in {Stream.WEEKLY, Stream.DAILY}
    asked = _asked(known.asked, turn.at)
    at_once = asked is not None and asked.frequency is Frequency.INSTANT
    return at_once and turn.at >= first + GROUPED


def _decided(known: Known, turn: Turn) -> Explanation:
    """What an edition decided, which came while the call was open."""
    made = _judged(known, turn.at)
    lacked = made if isinstance(made, NearMiss) else None
    answer = Explanation(
        because=Because.LACKED,
        at=turn.at,
        edition=turn.edition,
        letter=turn.letter,
        lacked=lacked,
    )
    if turn.why not in _LOOKED:
        return replace(answer, because=Because.OMITTED, why=turn.why)
    if turn.letter and turn.letter.state == LetterState.QUARANTINED and lacked is None:
        return replace(answer, because=Because.QUARANTINED)
    if lacked is None:
        reasons = made.reasons if isinstance(made, Match) else ()
        because = Because.NOT_YET if _kept_back(known, turn) else Because.RULES_CHANGED
        return replace(answer, because=because, reasons=reasons)
    return answer


def _kept_back(known: Known, turn: Turn) -> bool:
    """Whether that letter has as many notices as the contact wants in one."""
    asked = _asked(known.asked, turn.at)
    if asked is None or asked.most_notices is None or turn.letter is None:
        return False
    return turn.letter.notices >= asked.most_notices


def _waits(known: Known, found: Explanation, at: datetime) -> Waits | None:
    asked = _asked(known.asked, at)
    if found.because is not Because.NOT_YET or asked is None:
        return None
    return waits(known, asked, at)


def _is_promoted(known: Known, found: Explanation, asked: Asked | None) -> bool:
    """Whether the letter that has it is one at once, and its reader's own come on Mondays."""
    if found.letter is None or asked is None or asked.frequency is not Frequency.WEEKLY:
        return False
    turns = [one for one in known.turns if one.letter == found.letter]
    return bool(turns) and turns[0].stream is Stream.INSTANT


def _undecided(known: Known, after: Turn | None, at: datetime) -> Explanation:
    """No edition has come while the call was open; `after` is the first that came too late."""
    last = known.versions[-1]
    edition = after.edition if after else ""
    if not last.is_active:
        return Explanation(because=Because.CANCELLED, at=last.since, edition=edition)
    if not last.is_open(at):
        if last.closes_at and known.contact_since >= last.closes_at:
            return Explanation(because=Because.JOINED_AFTER, at=known.contact_since)
        return Explanation(because=Because.CLOSED, at=last.closes_at, edition=edition)
    made = _judged(known, at)
    lacked = made if isinstance(made, NearMiss) else None
    if known.refused_now is not None:
        why = known.refused_now
        return Explanation(because=Because.OMITTED, at=at, why=why, lacked=lacked)
    if lacked is not None:
        return Explanation(because=Because.LACKED, at=at, lacked=lacked)
    reasons = made.reasons if isinstance(made, Match) else ()
    return Explanation(because=Because.NOT_YET, at=at, reasons=reasons)


def _comes_again(known: Known, found: Explanation, at: datetime) -> bool:
    if known.backlog or known.refused_now is not None or not known.versions[-1].is_open(at):
        return False
    settled = {ToldState.CONFIRMED, ToldState.RESERVED}
    if any(one.state in settled for one in known.told):
        return False
    return found.because is Because.NOT_YET or isinstance(_worked_out(known, at), Match)


def _judged(known: Known, at: datetime) -> Match | NearMiss | None:
    """What the call was for the subscription at that moment; None where there was none."""
    asked = _asked(known.asked, at)
    if asked is None:
        return None
    kept = [one for one in known.kept if asked.since <= one.at <= at]
    return max(kept, key=lambda one: one.at).miss if kept else _worked_out(known, at)


def _worked_out(known: Known, at: datetime) -> Match | NearMiss | None:
    asked = _asked(known.asked, at)
    if asked is None:
        return None
    version = _version(known.versions, at)
    left = days_left(version.closes_at, at) if version.closes_at else None
    return match(
        version.facts,
        version.classified,
        asked.wanted,
        place=version.place,
        days_left=left,
    )


def _version(versions: Sequence[Version], at: datetime) -> Version:
    """The call as it was known at that moment; as it was first known before that."""
    return next((v for v in reversed(versions) if v.since <= at), versions[0])


def _asked(asked: Sequence[Asked], at: datetime) -> Asked | None:
    found = (a for a in asked if a.since <= at and (a.until is None or at < a.until))
    return next(found, None)
