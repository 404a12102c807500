"""One file per rule: a declaration that says where a break is, and a docstring that says what to do about it."""
