"""Who may come into a room, as what, and what its hosts do about it. docs/access.md."""
