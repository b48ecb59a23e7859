"""Effects: which kinds there are, boards of them, and how boards are written down. Pure."""
