"""Facts between services: outbox and relay on one side, inbox and consumer on the other, JetStream."""
