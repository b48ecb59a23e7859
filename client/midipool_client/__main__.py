"""`python -m midipool_client`."""

import sys

from midipool_client.cli import main

sys.exit(main())
