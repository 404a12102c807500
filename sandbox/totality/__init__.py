"""Totality LMS as a local server."""
