"""Controllers and pedals of the player's: what moves or is pressed there does what a page does."""
