"""`python -m campaigns.year`: a simulated year told by the service and by a second implementation.

One line a database; the exit code is 1 where a zero is not zero.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
from datetime import date

from campaigns import stores
from campaigns.year.mutants import MUTANTS, put
from campaigns.year.year import START, run


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    if asked.mutant:
        put(asked.mutant)
    good = True
    for kind in asked.database:
        with stores.opened(kind) as database:
            verdict = run(
                database,
                seed=asked.seed,
                readers=asked.contacts,
                start=asked.start,
                days=asked.days,
                grid=asked.grid,
                share=asked.share,
            )
        line = f"year database={kind} seed={asked.seed} contacts={asked.contacts} {verdict}"
        sys.stdout.write(f"{line}\n")
        for one in verdict.shown:
            sys.stdout.write(f"  {one}\n")
        sys.stdout.flush()
        good = good and not verdict.faults
    sys.exit(0 if good else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m campaigns.year", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=stores.KINDS, default=["sqlite"])
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--start", type=date.fromisoformat, default=START)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--grid", type=int, default=60, help="minutes between two ticks by day")
    parser.add_argument("--share", type=float, default=1.0, help="of the ticks that are made")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--mutant", choices=MUTANTS, help="a fault that is to be found")
    return parser.parse_args()


if __name__ == "__main__":
    main()
