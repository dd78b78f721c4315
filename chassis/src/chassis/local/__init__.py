"""The embedded stack: PostgreSQL and NATS from wheels, process supervision, trace store, mail, tokens."""
