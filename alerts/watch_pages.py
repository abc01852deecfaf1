"""The watch asks the pages whether they answer."""

from __future__ import annotations

import httpx2

#: Seconds that the pages may take to answer.
ANSWER_WITHIN = 10.0


def pages_answer(address: str) -> bool:
    """Whether the pages answer there and reach their database (pages.health)."""
    try:
        answer = httpx2.get(address, timeout=ANSWER_WITHIN, trust_env=False)
        body = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
        return False
    # 503 says that the service does not run, which is another finding.
    return isinstance(body, dict) and body.get("base") == "ok"
