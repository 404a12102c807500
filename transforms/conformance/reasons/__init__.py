"""One file per reason: what a provider would be doing when its schedule differs for that reason."""
