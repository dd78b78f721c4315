"""Who looks at the desk: sign-in, sessions, and what guards a page."""
