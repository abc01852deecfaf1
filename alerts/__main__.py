"""`python -m alerts`: read the settings, wire, start. Stops cleanly on SIGTERM and Ctrl-C."""

from __future__ import annotations

import sys

from alerts import starting
from alerts.service import run
from base import logs
from base.errors import BaseFault
from base.fault_words import in_french


def main() -> None:
    """Run the service until it is told to stop; exit code 1 when a setting is missing."""
    logs.set_up()
    stop = starting.told_to_stop()
    try:
        service = starting.service(stop)
    except BaseFault as fault:
        sys.exit(in_french(fault))
    run(service)
    service.database.dispose()


if __name__ == "__main__":
    main()
