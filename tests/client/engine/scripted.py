"""An engine that does as it is told: `python -m tests.client.engine.scripted "WAIT SAY ..."`.

Each word is a number of seconds to sleep, `say` for an empty message, or `exit`; then it waits.
"""

import sys
import time


def main(words: list[str]) -> None:
    for word in words:
        if word == "say":
            sys.stdout.buffer.write((0).to_bytes(4, "big"))
            sys.stdout.buffer.flush()
        elif word == "exit":
            sys.exit(1)
        else:
            time.sleep(float(word))
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1].split())
