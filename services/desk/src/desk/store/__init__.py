"""What the desk itself keeps: who is signed in."""
