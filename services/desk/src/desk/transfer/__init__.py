"""Files that come and go: what is done with them as whoever asked for it, apart from the pages."""
