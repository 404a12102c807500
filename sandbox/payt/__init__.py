"""Payt as a local server."""
