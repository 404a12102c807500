"""Does the provider's schedule agree with the plan's own rules, and if not, why?"""
