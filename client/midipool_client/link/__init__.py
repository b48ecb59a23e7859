"""Bridges a room with the Ableton Link session of the player's network.

`bridge` decides (pure), `session` is the Link library on this host's clock, `runner` joins the
two to a player.
"""
