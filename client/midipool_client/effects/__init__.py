"""Effects on own channels and on what is heard: boards, and the program that works them."""
