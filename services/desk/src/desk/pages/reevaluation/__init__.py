"""Reckoning anew what purchases earned: what that costs, how far it is, what it changed, and stopping it."""
