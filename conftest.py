"""Fixtures for the whole repository: those that the chassis ships for every department."""

import os

# Before gRPC is imported: tests start servers, and a forked child must not wake gRPC's threads.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

pytest_plugins = ["chassis.testing.fixtures"]
