"""What the served providers know: the worked example, the demo, portfolios of any size."""
