"""What a department tests with: real PostgreSQL and NATS, a service over a real socket, its own clock."""

import os

# Before gRPC is imported: tests start servers, and a forked child must not wake gRPC's threads.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
