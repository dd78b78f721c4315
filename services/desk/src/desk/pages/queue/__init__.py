"""What waits in a department, who is there, and taking what comes first."""
