"""What people may do for a customer alone: the policies that say so, tried and changed."""
