"""Changes at a provider: wanted once, written down before each step, never done twice."""
