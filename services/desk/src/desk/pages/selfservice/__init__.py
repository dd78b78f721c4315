"""What a customer's own pages show of them, for whoever serves them as well."""
