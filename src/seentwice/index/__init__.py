"""Search among many photos: the home of FAISS."""
