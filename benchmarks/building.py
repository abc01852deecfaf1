"""What writing a letter of 20 notices costs: joined of printed pieces, and the plain way.

    python -m benchmarks.building

The plain way renders both templates whole for each letter, inlines the styles with premailer and
writes the message with EmailMessage. Notices have the real titles and buyers of
tests/sources/data/notices.csv, drawn anew for each reader (seeded). Both sides take turns, and are
timed by the processor's time; each notice is printed before, once, which is told apart. Every
letter must parse without defect and say what the standard library's says, in headers, text and
HTML: what is compared is composed once more, for letters that are kept would be timed with the
memory that they take.
"""

from __future__ import annotations

import email
import email.policy
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from itertools import product
from statistics import median
from time import process_time

from alerts.digest import Digest, Notice, Reason
from alerts.letter import Composed, Press, ReaderLinks, compose
from base.clock import quebec_day, wall_time
from benchmarks.measured import Measured, Size, interleaved, report
from tests.coop import AT
from tests.emails import gallery, oracle
from tests.variants import notices

SEED = 20260921
WINDOW, A_LETTER, GOAL = 500, 20, 150
#: Readers of a round and how often they are written to, letters of the plain side, rounds: a
#: quarter of a second a side.
SIZES = {Size.QUICK: (60, 40, 20, 5), Size.FULL: (300, 10, 30, 7)}


def window(chosen: random.Random) -> list[Notice]:
    """Open calls with real titles and buyers, closing over four weeks."""
    real = gallery.real_notices()
    whole = list(notices())
    return [
        replace(
            real[number % len(real)],
            cluster_id=number,
            revision_id=number,
            number=f"{20160000 + number}",
            title=one.title,
            buyer=one.buyer,
            closes_at=wall_time(quebec_day(AT) + timedelta(days=chosen.randint(1, 28)), 11),
            reasons=(
                Reason(
                    "s", chosen.choice(SECTORS), f"«\u00a0{one.title[:20]}\u00a0» dans le titre"
                ),
            ),
        )
        for number, one in enumerate(chosen.sample(whole, WINDOW))
    ]


SECTORS = ("Déneigement", "Gestion des matières résiduelles", "Entretien ménager", "Imprimerie")


def readers(
    chosen: random.Random, calls: list[Notice], count: int
) -> list[tuple[Digest, ReaderLinks]]:
    """Digests of readers, each with its own notices, names and links."""
    plain = gallery.CASES["tous-les-avis-reels"]()
    return [
        (
            replace(
                plain,
                contact_name=f"Personne Fictive {number}",
                member_name=f"Coopérative fictive no {number}",
                notices=tuple(chosen.sample(calls, A_LETTER)),
            ),
            ReaderLinks(
                f"https://alertes.exemple.quebec/d/{chosen.randbytes(20).hex()[:39]}",
                f"https://alertes.exemple.quebec/p/{chosen.randbytes(20).hex()[:39]}",
            ),
        )
        for number in range(count)
    ]


def plainly(digest: Digest, links: ReaderLinks, key: str) -> bytes:
    """One letter, everything done for it alone."""
    words = oracle.words(gallery.SENDER, digest, links, AT, cards=A_LETTER, lines=0)
    return oracle.message(
        gallery.SENDER,
        digest,
        links,
        subject=str(words["subject"]),
        recipient="a@exemple.quebec",
        message_id=f"<{key}@coop.exemple.quebec>",
        at=AT,
        text=oracle.text_of(words),
        html=oracle.styled(PAGE.render(words)),
    ).as_bytes()


PAGE = oracle.plain_template()
LINKS = gallery.LINKS


def joined(press: Press, digest: Digest, links: ReaderLinks, key: str) -> Composed:
    """One letter, by the product."""
    return compose(press, digest, links, recipient="a@exemple.quebec", key=key, at=AT)


def check(made: Composed, digest: Digest, links: ReaderLinks) -> None:
    """Parsed without defect; headers, text and HTML as the standard library writes them."""
    words = oracle.words(gallery.SENDER, digest, links, AT, cards=A_LETTER, lines=0)
    expected = oracle.message(
        gallery.SENDER,
        digest,
        links,
        subject=str(words["subject"]),
        recipient="a@exemple.quebec",
        message_id=made.message_id,
        at=AT,
        text=oracle.text_of(words),
        html=oracle.html_of(words),
    )
    found = email.message_from_bytes(made.content, EmailMessage, policy=email.policy.default)
    known = email.message_from_bytes(expected.as_bytes(), EmailMessage, policy=email.policy.default)
    for one in found.walk():
        assert not one.defects, one.defects  # noqa: S101, else the figures are of two things
    own = {"MIME-Version", "Content-Type"}
    assert {k: v for k, v in found.items() if k not in own} == {  # noqa: S101, as above
        k: v for k, v in known.items() if k not in own
    }
    parts = zip(found.iter_parts(), known.iter_parts(), strict=True)
    for ours, theirs in parts:
        said = [part.get_content().replace("\r\n", "\n") for part in (ours, theirs)]
        assert said[0] == said[1]  # noqa: S101, as above


@dataclass(frozen=True, slots=True)
class _Run:
    """Both sides, each writing for the same readers of a round."""

    press: Press
    people: list[tuple[Digest, ReaderLinks]]
    often: int
    plain: int

    def ours(self) -> float:
        """Seconds of processor a letter."""
        begun = process_time()
        for turn, (number, one) in product(range(self.often), enumerate(self.people)):
            joined(self.press, *one, f"{turn}:{number}")
        return (process_time() - begun) / (self.often * len(self.people))

    def theirs(self) -> float:
        """The same."""
        begun = process_time()
        for number, one in enumerate(self.people[: self.plain]):
            plainly(*one, str(number))
        return (process_time() - begun) / self.plain

    def octets(self) -> int:
        """Check every letter; the octets of one on average."""
        made = [joined(self.press, *one, str(number)) for number, one in enumerate(self.people)]
        for composed, whose in zip(made, self.people, strict=True):
            check(composed, *whose)
        return sum(len(one.content) for one in made) // len(made)


def measure(size: Size) -> Iterable[Measured]:
    """Letters a second of either side."""
    chosen = random.Random(SEED)  # noqa: S311, no secret
    ours, often, plain, rounds = SIZES[size]
    calls, press = window(chosen), Press.of(gallery.SENDER)
    begun = process_time()
    joined(press, replace(gallery.CASES["tous-les-avis-reels"](), notices=tuple(calls)), LINKS, "0")
    for one in calls:
        press.printer.moment(AT)[one].card.octets  # noqa: B018, printed now
    once = (process_time() - begun) / WINDOW
    found, octets = [], []
    for _ in range(rounds):
        run = _Run(press, readers(chosen, calls, ours), often, plain)
        found += interleaved(run.ours, run.theirs, rounds=1)
        octets.append(run.octets())
    fast, slow = (median(side) for side in zip(*found, strict=True))
    yield Measured(
        name="building",
        what=f"joined / plain, letters of {A_LETTER} notices a second",
        goal=GOAL,
        rounds=tuple(theirs / mine for mine, theirs in found),
        detail=(
            f"seed {SEED}, {A_LETTER} notices of {WINDOW}, {median(octets):.0f} octets a letter",
            f"joined {fast * 1e6:.0f} us, plain {slow * 1e3:.1f} ms of processor a letter",
            f"and {once * 1e6:.0f} us for a notice, once",
        ),
        twin=f"{rounds * ours} letters parsed without defect and equal to the standard library's",
        size=size,
    )


if __name__ == "__main__":
    report(measure)
