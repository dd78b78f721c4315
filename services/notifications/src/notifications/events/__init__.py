"""Handlers of other services' events, in files named after the service they listen to."""
