"""Start the shop: `python -m demo.target --port 8080 --slow database=0.05 --switch errors=0.2`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from demo.target.server import Server
from demo.target.shop import Shop
from demo.target.store import Store
from demo.target.switches import SLOW, BadSwitch, Switches, read_switches


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.target", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one")
    parser.add_argument("--slow", action="append", default=[], metavar="PART=SECONDS", help=", ".join(SLOW))
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="see GET /switches"
    )
    chosen = parser.parse_args(arguments)
    given = os.environ.get("DEMO_TARGET_SWITCHES", "").replace(",", " ").split()
    try:
        switches = Switches().changed(read_switches([*given, *chosen.slow, *chosen.switch]))
    except BadSwitch as problem:
        parser.error(str(problem))
    with tempfile.TemporaryDirectory(prefix="demo-target-") as folder:
        shop = Shop(Store(Path(folder) / "shop.sqlite3"), switches)
        try:
            server = Server(("127.0.0.1", chosen.port), shop)
        except OSError as problem:
            print(f"Port {chosen.port} can't be used: {problem.strerror}. Choose another.", file=sys.stderr)
            return 1
        print(f"The shop is open at http://127.0.0.1:{server.port}", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # SystemExit, so that the folder goes too
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
