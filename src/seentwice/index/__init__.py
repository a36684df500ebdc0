"""Many photos: the table of what is known of them, and the search among them; the home of FAISS."""
