"""Files of what the services have: chosen, written by a worker as whoever asked, downloaded."""
