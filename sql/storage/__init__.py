"""What lies on disk beside the warehouse, and how it survives whatever ends a process."""
