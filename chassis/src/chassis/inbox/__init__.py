"""What this service hears: each event once, what cannot be applied set aside, and how current all is."""
