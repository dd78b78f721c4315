"""Two records side by side, which may be of one customer; and what was recorded while they were one."""
