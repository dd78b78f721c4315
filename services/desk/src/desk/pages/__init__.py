"""The pages: a room for each, with its routes, its view model and its template."""
