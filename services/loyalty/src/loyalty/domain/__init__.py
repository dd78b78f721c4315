"""The rules of points, purchases, value and goodwill. Standard library only."""
