"""The fixtures that are shipped for every department."""

import os

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # before gRPC is imported: tests start servers

pytest_plugins = ["rapport_testing.fixtures"]
