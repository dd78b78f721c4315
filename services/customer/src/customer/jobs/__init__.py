"""What the customer service does by itself."""
