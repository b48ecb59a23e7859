"""`./run bench NAME`: run one benchmark."""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from midipool_demo.background import end_in_order_when_terminated

NAMES = (
    "clock",
    "rtmidi",
    "sync",
    "follow",
    "link",
    "failover",
    "startup",
    "relay",
    "audio",
    "loss",
    "punch",
    "drift",
    "mesh",
    "memory",
    "record",
    "effects",
    "page",
    "rooms",
    "rooms_connections",
    "fuzz",
    "fuzz_messages",
    "fuzz_media_socket",
)


def main() -> int:
    """Run the benchmark that is named first; the rest are its options."""
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", type=Path, help="where the figures go (bench-results/NAME.json)")
    parser.add_argument("--plot", type=Path, help="where the plot goes (bench-results/NAME.png)")
    name = next((word for word in sys.argv[1:] if word in NAMES), None)
    module = importlib.import_module(f"tests.bench.{name}") if name else None
    if module is not None:
        module.add_options(parser)
    options = parser.parse_args()
    assert module is not None
    end_in_order_when_terminated()
    before = machine()
    result = module.run(options)
    result["machine"] = before
    json_path = options.json or Path("bench-results", f"{name}.json")
    plot_path = options.plot or json_path.with_suffix(".png")
    for path in (json_path, plot_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    module.plot(result, plot_path)  # takes the long series out
    text = json.dumps(result, indent=2)
    json_path.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 0


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "python": sys.version.split()[0],
        "load_before": os.getloadavg()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
