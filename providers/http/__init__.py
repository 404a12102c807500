"""How a request reaches a provider and comes back: signed, paced, bounded in time, retried, without secrets in the log."""
