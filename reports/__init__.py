"""Frames to files: tables, page, workbook, manifest, and the pointer to the newest of them.

Nothing here computes a figure that is not already in a frame, and nothing asks
the time: what a file says is decided before this room is entered.
"""
