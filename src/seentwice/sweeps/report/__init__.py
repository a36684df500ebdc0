"""The report of a sweep: pictures, a table, and a page that needs nothing but itself."""
