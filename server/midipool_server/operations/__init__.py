"""What whoever keeps a server running looks at: logs, metrics, whether it is ready, its end."""
