"""Fixtures for the whole repository: those that every department has, and those of a browser."""

import os

import hypothesis

# Before gRPC is imported: tests start servers, and a forked child must not wake gRPC's threads.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

pytest_plugins = ["rapport_testing.fixtures", "tests.browser.fixtures"]

# A slow machine is no finding.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
