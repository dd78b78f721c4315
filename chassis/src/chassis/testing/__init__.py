"""What a department tests with: real PostgreSQL and NATS, a running service over a real socket, a clock of its own."""
