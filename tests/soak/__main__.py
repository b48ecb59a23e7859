"""`./run soak --minutes N`: many clients, all that may happen to them, and what must hold."""

import argparse
import json
import random
import signal
import sys
from pathlib import Path

from midipool.errors import MidiPoolError
from midipool_demo.background import end_in_order_when_terminated
from tests.soak.plan import LASTING, MEMBERS
from tests.soak.report import in_a_table
from tests.soak.run import soak
from tests.soak.state import Options


def main() -> int:
    """Run it; 1 if an invariant did not hold."""
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, help="the same seed does the same things (random)")
    parser.add_argument("--clients", type=int, default=MEMBERS, help="up to 16 (%(default)s)")
    parser.add_argument(
        "--lasting", type=int, default=LASTING, help="of them with audio, who stay (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="where the report goes")
    parser.add_argument("--verbose", action="store_true", help="a line for all that is done")
    options = parser.parse_args()
    if not 0 < options.lasting <= options.clients <= MEMBERS:
        parser.error(f"--clients is up to {MEMBERS}, and --lasting up to that")
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)  # noqa: T201
    end_in_order_when_terminated()
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = Options(options.minutes, seed, options.clients, options.lasting)
    wanted.verbose = options.verbose
    try:
        report = soak(wanted)
    except (MidiPoolError, RuntimeError) as error:
        print(f"soak: {error}", file=sys.stderr)  # noqa: T201
        return 1
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(in_a_table(report))  # noqa: T201
    for text in report["violations"]:
        print(f"VIOLATION {text}")  # noqa: T201
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
