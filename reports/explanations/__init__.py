"""Explanations written out: as text that can be read aloud, and as JSON with the same content."""
