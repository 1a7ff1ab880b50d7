"""Real servers on loopback, for the tests and for trying sendoff out: `make stack`."""
