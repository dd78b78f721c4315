"""The acts of the story, a file each, and what they have in common."""
