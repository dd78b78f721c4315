"""The gRPC services: requests to use cases, entities to messages."""
