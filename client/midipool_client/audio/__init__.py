"""Audio: what a player sends to the others, and hears of them."""
