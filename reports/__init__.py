"""Frames to files: tables, page, workbook, manifest."""
