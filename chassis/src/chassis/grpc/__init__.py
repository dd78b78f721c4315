"""gRPC as every service speaks it: server, interceptor, errors, idempotent mutations and clients."""
