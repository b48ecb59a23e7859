"""The plain way, as a peer: a Python loop that sleeps until each tick and calls rtmidi on JACK."""

import sys
import time

import rtmidi


def main() -> None:
    interval_s = 60 / (float(sys.argv[1]) * 24)
    out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="plain-loop")
    out.open_virtual_port("out")
    due = time.monotonic() + interval_s
    while True:
        time.sleep(max(due - time.monotonic(), 0))
        out.send_message([0xF8])
        due += interval_s


if __name__ == "__main__":
    main()
