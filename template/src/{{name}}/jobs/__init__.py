"""What works by itself."""
