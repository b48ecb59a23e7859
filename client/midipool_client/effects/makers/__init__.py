"""Effects of each kind, made of pedalboard's and our own: a module for each sort."""
