"""What did each term receive, what is still open, and in which state is it?"""
