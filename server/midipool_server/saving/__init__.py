"""Rooms as documents that people keep, and as files from which a server comes back."""
