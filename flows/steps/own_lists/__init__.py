"""Lists that the user keeps beside the configuration: customers of their own, and pauses that a provider does not know."""
