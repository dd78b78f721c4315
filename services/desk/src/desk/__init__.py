"""The desk: where people and callers of REST meet the services."""
