"""What the desk answers to programs that do not speak gRPC."""
