"""Handing messages to whoever carries them: a channel a file, and its providers."""
