"""Webhooks: what others tell by HTTP and mail, kept at once, then recorded as contacts of customers."""
