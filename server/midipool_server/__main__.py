"""`python -m midipool_server`."""

import sys

from midipool_server.cli import main

sys.exit(main())
