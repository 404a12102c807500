"""How late is a plan, and into which bucket does that put it?"""
