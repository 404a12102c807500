"""What is scheduled with Prefect, and who is told when it does not end well."""
