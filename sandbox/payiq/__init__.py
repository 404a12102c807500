"""PNC PayIQ as a local server."""
