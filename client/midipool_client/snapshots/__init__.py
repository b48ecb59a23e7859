"""Rooms as files: YAML read with the place of everything in it, and written for people."""
