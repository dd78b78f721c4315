"""Fixtures for the whole repository: those that every department has, and those of a browser."""

import hypothesis

pytest_plugins = ["rapport_testing.fixtures", "tests.browser.fixtures"]

# A slow machine is no finding.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
