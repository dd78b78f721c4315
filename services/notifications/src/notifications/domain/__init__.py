"""What a notice, a template and a policy are, and the rules they follow. Standard library only."""
