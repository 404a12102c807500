"""The reports as one Excel workbook, for people who filter, sort and print by hand."""
