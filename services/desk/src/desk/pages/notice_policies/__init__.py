"""Which events lead to which messages to customers, and whom a policy would have told."""
