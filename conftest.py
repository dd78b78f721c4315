"""Fixtures for the whole repository: those that the chassis ships for every department."""

pytest_plugins = ["chassis.testing.fixtures"]
