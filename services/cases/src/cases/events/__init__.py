"""What other services tell, and what the clock tells."""
