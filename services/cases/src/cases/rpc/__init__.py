"""The gRPC services: request to use case to message. No SQL, no try."""
