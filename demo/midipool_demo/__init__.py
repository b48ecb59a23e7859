"""A whole room on one machine: server, two players on JACK servers of their own, meters."""
