"""PostgreSQL for a service: statements compiled once, transactions with outbox, durable timers, migrations."""
