"""The files other programs read: each report as CSV and Parquet, row by row as it comes."""
