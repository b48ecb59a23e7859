"""Byte streams of real programs, recorded; README.md says of which."""
