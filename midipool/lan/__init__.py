"""Who is on this LAN: what servers and players announce of themselves, and what is made of that."""
