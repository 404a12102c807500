"""Changes at a provider: each is written down before every step and never done twice."""
