"""What the service listens to."""
