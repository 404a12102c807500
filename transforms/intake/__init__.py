"""May a received row enter the core, and if not, why not?"""
