"""A crowd that sends a room host any messages there are, and what must hold meanwhile."""
