"""For those who run the services: how each of them is, what waits, what failed, and what to do about it."""
