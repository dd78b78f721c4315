"""The gRPC services: request to command to message."""
