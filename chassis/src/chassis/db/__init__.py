"""PostgreSQL for a service: statements compiled once, transactions with outbox, timers, migrations."""
