"""Five ways to lose or double mail that other systems have; each must turn a campaign red.

Put into a forked worker from outside, as the crash points are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import true, update
from sqlalchemy.orm import Session

from alerts import custody, delivery, entitlement, guards, ledger, outbox, recovery
from alerts.delivery import Outcome, Receipt
from alerts.tables import Letter, LetterState, Why


def accepted_before_the_dot() -> None:
    """Commit ACCEPTED with the statement that lets the letter leave."""
    inner = entitlement.let_pass

    def let_pass(session: Session, letter_ids: list[int], **known: Any) -> set[int]:  # noqa: ANN401
        passed = inner(session, letter_ids, **known)
        session.execute(
            update(Letter)
            .where(Letter.id.in_(passed))
            .values(state=LetterState.ACCEPTED, lease_until=None)
            .execution_options(synchronize_session=False)
        )
        ledger.confirm(session, passed)
        return passed

    setattr(custody, "let_pass", let_pass)  # noqa: B010, a mutant replaces what is final


def silence_is_refusal() -> None:
    """Treat any lost connection as "not accepted": send again."""
    inner = delivery.Connection.finish

    async def finish(self: delivery.Connection, then: delivery.Envelope | None = None) -> Receipt:
        receipt = await inner(self, then)
        if receipt.outcome is Outcome.UNKNOWN:
            return replace(receipt, outcome=Outcome.DEFERRED)
        return receipt

    def verdict(*_: object) -> tuple[LetterState, str]:
        return LetterState.WRITTEN, "a mutant"

    setattr(delivery.Connection, "finish", finish)  # noqa: B010, the same
    setattr(recovery, "_verdict", verdict)  # noqa: B010, the same


def cursor_at_fetch() -> None:
    """What was fetched is behind the cursor: a claim is never taken back (listmonk #3022)."""

    def take_back(_session: Session, **_: Any) -> int:  # noqa: ANN401, whatever it takes
        return 0

    setattr(outbox, "take_back", take_back)  # noqa: B010, the same


def no_second_check() -> None:
    """Let pass whoever was entitled when the letter was written."""

    def nothing(_allowed: frozenset[str]) -> list[tuple[Why, Any]]:
        return [(Why.HELD, true())]

    setattr(guards, "letter_guards", nothing)  # noqa: B010, the same
    for statement in ("_passing", "_letters_refused"):
        # Not the one that was built before.
        setattr(entitlement, statement, getattr(entitlement, statement).__wrapped__)


def told_at_writing() -> None:
    """Mark notices as told when the letter is written."""
    inner = ledger.reserve

    def reserve(session: Session, carried: Sequence[ledger.Carried], *, at: datetime) -> int:
        reserved = inner(session, carried, at=at)
        ledger.confirm(session, [letter_id for letter_id, _, _ in carried])
        return reserved

    setattr(ledger, "reserve", reserve)  # noqa: B010, the same


MUTANTS: dict[str, Callable[[], None]] = {
    "accepted-before-dot": accepted_before_the_dot,
    "silence-is-refusal": silence_is_refusal,
    "cursor-at-fetch": cursor_at_fetch,
    "no-second-check": no_second_check,
    "told-at-writing": told_at_writing,
}
