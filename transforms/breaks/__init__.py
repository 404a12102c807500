"""Which break is which from run to run, how bad is it, and which belong together?"""
