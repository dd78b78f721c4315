"""When departments are open, which clocks run by which policy, and why a clock is as it is."""
