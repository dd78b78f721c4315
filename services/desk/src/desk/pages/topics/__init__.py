"""What cases are about: the topics below each other, who owns cases about them, and whose owner has left."""
