"""What works by itself: sending notices, and jobs of many."""
