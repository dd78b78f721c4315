"""What can be done, a function for each verb."""
