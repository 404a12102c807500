"""Which plans exist on the day, which payments are theirs, and who replaced whom?"""
