"""A relay by itself, for `./run bench relay`: FD, MEMBERS and KEY (hex); ends with its input."""

import socket
import sys

from midipool_native.relay import Relay, RelayLimits

KEY_ID = 1
ANY_NUMBER = 2**31


def main() -> None:
    """Members 1 to MEMBERS are in one room."""
    fd, members, key = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
    limits = RelayLimits(packets_a_second=1_000_000_000, bits_a_second=ANY_NUMBER, burst_ms=2**31)
    relay = Relay(socket.socket(fileno=fd), members, limits)
    for sender in range(1, members + 1):
        relay.add(sender, 0, KEY_ID, key)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    relay.close()


if __name__ == "__main__":
    main()
