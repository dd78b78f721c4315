"""The customer service: customers, identifiers, timeline, consent, and the customer view."""
