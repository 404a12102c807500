"""Which terms do a plan's own rules give?"""
