"""How often one address of the network may ask: enough for a reader, too little for a search.

Kept in memory for a minute and never written down. An unsubscribe is never counted or refused.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

WINDOW = 60.0
#: Addresses remembered at once; the longest silent is forgotten first.
_MOST = 10_000
#: Never counted: leaving, the style sheet, what a monitor asks.
_FREE = ("/d/", "/style.css", "/sante", "/mesures")


@dataclass(slots=True)
class Limits:
    """What one network address may do in `WINDOW` seconds, and all together."""

    requests: int = 120
    #: Answers 404: links that are guessed or mangled.
    failures: int = 10
    #: Mails that a form may ask for.
    posts: int = 30
    everybody: int = 6000
    now: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def spend(self, who: str, what: str, most: int) -> bool:
        """Count one `what` of `who`; False where it is one too many."""
        key, now = f"{what} {who}", self.now()
        with self._lock:
            started, count = self._seen.pop(key, [now, 0])
            if now - started >= WINDOW:
                started, count = now, 0
            self._seen[key] = [started, count + 1]
            while len(self._seen) > _MOST:
                self._seen.popitem(last=False)
        return count < most

    def spent(self, who: str, what: str, most: int) -> bool:
        """Whether `who` has no `what` left, without counting."""
        with self._lock:
            started, count = self._seen.get(f"{what} {who}", [self.now(), 0])
        return self.now() - started < WINDOW and count >= most


class Limited:
    """Refuses, with `answer`, what is over the limits."""

    def __init__(self, app: ASGIApp, limits: Limits, answer: ASGIApp) -> None:
        self.app = app
        self.limits = limits
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self.app(scope, receive, send)
            return
        who = scope["client"][0] if scope.get("client") else ""
        if not self._may(who, scope["method"]):
            await self.answer(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 404:
                self.limits.spend(who, "failure", self.limits.failures)
            await send(message)

        await self.app(scope, receive, watched)

    def _may(self, who: str, method: str) -> bool:
        limits = self.limits
        if limits.spent(who, "failure", limits.failures):
            return False
        if method == "POST" and not limits.spend(who, "post", limits.posts):
            return False
        return limits.spend(who, "request", limits.requests) and limits.spend(
            "", "request", limits.everybody
        )
