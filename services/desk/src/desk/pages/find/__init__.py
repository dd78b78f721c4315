"""Who it is: one box for whatever one has of a customer, and the calls that telephone systems open."""
