"""Runs a module's program so that it ends with its server: `guard.py SERVER_PID PROGRAM ...`.

It is run by its path, with nothing of ours at hand, and becomes the program. Where the system has
no such signal (prctl is Linux's) a program outlives a server that was killed.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program, or say why not."""
    server, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(server):
        sys.exit("the server has ended")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
