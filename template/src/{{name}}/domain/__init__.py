"""What is so, whoever asks: rules without a database."""
