"""PNC PayIQ: everything that only this provider knows."""
