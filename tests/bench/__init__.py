"""Benchmarks: each prints JSON and draws a plot. `./run bench NAME --json FILE --plot FILE`."""
