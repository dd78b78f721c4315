"""Doing one thing to many cases: who is concerned, how far it is, what became of each, and stopping it."""
