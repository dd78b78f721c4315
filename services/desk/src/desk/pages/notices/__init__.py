"""Messages to customers: which, how each was decided and delivered, and what they were worth."""
