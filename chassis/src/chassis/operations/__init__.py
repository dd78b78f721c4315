"""What people who run a service need of it, the same for every service."""
