"""What a department tests with: real PostgreSQL and NATS, a service over a real socket, its own clock."""
