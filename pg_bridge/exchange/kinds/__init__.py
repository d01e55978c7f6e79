"""The records: one class for each kind of entry, by what they are about.

Values only. Their members are names in journals: an old journal must read, so none is renamed or taken away.
Follows: README, "Words"; the kinds themselves are in entries.py.
Read first: requests.py, then answers.py; records.py reads and writes them.
"""
