"""What reaches an open page by itself: one stream for each browser."""
