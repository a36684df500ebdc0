"""Photos and archives from the web: whole, checked, and from public addresses alone."""
