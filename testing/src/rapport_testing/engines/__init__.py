"""PostgreSQL and NATS from wheels, as child processes that never outlive whoever started them."""
