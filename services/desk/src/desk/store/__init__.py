"""What the desk itself keeps: who is signed in, what they typed, and what webhooks brought."""
