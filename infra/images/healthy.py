"""The health check of every image: does the process that runs here still answer? Exit status 0 or 1.

Workers, intake, publisher and reconciler answer on STENOCAST_METRICS_PORT, the API on STENOCAST_PORT: whichever
listens is asked. It imports nothing of ours, because it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request


def is_healthy(port: str) -> bool | None:
    """None where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
    except OSError as error:
        return None if isinstance(getattr(error, "reason", error), ConnectionRefusedError) else False


def main() -> int:
    ports = (os.environ.get("STENOCAST_METRICS_PORT", ""), os.environ.get("STENOCAST_PORT", "8080"))
    answers = [is_healthy(port) for port in ports if port not in ("", "0")]
    return 0 if True in answers and False not in answers else 1


if __name__ == "__main__":
    sys.exit(main())
