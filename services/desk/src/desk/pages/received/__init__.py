"""What webhooks brought and a person has to decide."""
