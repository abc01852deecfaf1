"""Print what writing a letter of 20 notices costs: joined of printed pieces, and the plain way.

    python -m benchmarks.building

The plain way renders both templates whole for each letter, inlines the styles with premailer and
writes the message with EmailMessage. Notices have the real titles and buyers of
tests/sources/data/notices.csv, drawn anew for each reader (seeded). Both sides take turns, and are
timed by the processor's time; the first round prints what is kept. Every letter must parse without
defect and say what the standard library's says, in headers, text and HTML.
"""

from __future__ import annotations

import email
import email.policy
import random
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from statistics import median
from time import process_time

from alerts.digest import Digest, Notice, Reason
from alerts.letter import Composed, Press, ReaderLinks, compose
from base.clock import quebec_day, wall_time
from tests.coop import AT
from tests.emails import gallery, oracle
from tests.variants import notices

SEED = 20260921
WINDOW, A_LETTER, GOAL = 500, 20, 150
#: In each round, of either side.
OURS, PLAIN, ROUNDS = 300, 20, 7


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


def main() -> None:
    chosen = random.Random(SEED)  # noqa: S311, no secret
    calls = window(chosen)
    press = Press.of(gallery.SENDER)
    ratios, fast, slow, size = [], [], [], 0
    for number in range(ROUNDS):
        people = readers(chosen, calls, OURS)
        begun = process_time()
        made = [joined(press, *one, f"{number}:{n}") for n, one in enumerate(people)]
        fast.append((process_time() - begun) / OURS)
        begun = process_time()
        for n, one in enumerate(people[:PLAIN]):
            plainly(*one, f"{number}:{n}")
        slow.append((process_time() - begun) / PLAIN)
        ratios.append(slow[-1] / fast[-1])
        size = sum(len(one.content) for one in made) // OURS
        for one, whose in zip(made, people, strict=True):
            check(one, *whose)
    print(f"seed {SEED}, {ROUNDS} rounds, {A_LETTER} notices of {WINDOW}, {size} octets a letter")
    print(f"{ROUNDS * OURS} letters parsed without defect and equal to the standard library's")
    print(f"joined {median(fast) * 1e6:.0f} us, plain {median(slow) * 1e3:.1f} ms a letter")
    print("rounds: " + ", ".join(f"{one:.0f}" for one in ratios))
    value = median(ratios)
    print(f"ratio=building value={value:.0f} goal={GOAL} ok={'yes' if value >= GOAL else 'no'}")


if __name__ == "__main__":
    main()
