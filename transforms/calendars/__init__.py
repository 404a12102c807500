"""Which days are business days?"""
