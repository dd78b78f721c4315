"""The parcels department's service."""
