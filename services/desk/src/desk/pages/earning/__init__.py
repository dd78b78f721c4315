"""By what rules members earn, tried before they are in force; and what a purchase earned, and why."""
