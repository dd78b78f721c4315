"""What is asked for and waits for somebody with more authority."""
