"""The one loop between the core and the edges: event, decide, journal, act.

Takes events and records; makes what they brought durable, then does what was decided, through ports. Never decides:
that is exchange's. Never touches a socket, a disk or HTTP: that is the edges'.
Follows: README, "The way of a message".
Read first: dispatcher.py, then committing.py, which keeps the promise that nothing leaves before it is durable.
"""
