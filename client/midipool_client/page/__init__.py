"""The player's page: transport, mixer and health of a running client, on loopback only."""
