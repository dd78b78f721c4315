"""Explaining resources: the chain of causes, and the methods that tell it."""
