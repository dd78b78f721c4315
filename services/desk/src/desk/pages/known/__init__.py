"""What is known of a customer: how they are reached, and who they belong to."""
