"""What a participant's own sample messages use, and which of them the set would refuse.

Takes bytes of streams and text blocks and a MappingBook; gives a Lesson of counts, bounded whatever comes.
Read first: learner.py.
"""
