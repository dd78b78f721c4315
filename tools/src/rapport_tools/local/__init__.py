"""The embedded stack: process supervision, infrastructure, trace store, mail, tokens."""
