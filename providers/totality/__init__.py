"""Totality LMS: everything that only this provider knows."""
