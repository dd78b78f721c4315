"""From requests to commands and from results to messages."""
