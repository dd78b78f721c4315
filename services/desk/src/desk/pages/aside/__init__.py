"""What opens beside a page: why something is so, a message as it was sent, a masked value, the keys."""
