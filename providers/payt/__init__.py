"""Payt: everything that only this provider knows."""
