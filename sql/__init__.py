"""The store: what was received, what it means, what was published. The only room that imports duckdb."""
