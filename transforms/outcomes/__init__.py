"""How a plan went: its outcome by replay, and the rates at which terms were kept."""
