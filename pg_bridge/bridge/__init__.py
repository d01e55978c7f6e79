"""A bridge that runs: every room built from Config, started and stopped, and what goes on beside the loop.

Takes a Config and a World (clocks, fresh ids, texts of files); gives the running Bridge. Holds what people command by
the control door, what follows OCP (pushes, feeds, keys) and what tells of itself (metrics, the console's server).
Never decides about an instruction: that is exchange's. Only running.py builds; the others get what they need.
Read first: running.py, then settings.py, desk.py and ways.py.
"""
