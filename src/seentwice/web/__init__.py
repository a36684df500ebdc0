"""Recommendations and checks over HTTP: FastAPI is known here alone."""
