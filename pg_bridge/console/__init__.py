"""The HTTP door of the bridge: health, and the webhook that OCP pushes to.

Hands headers and body to a port; never checks a signature or decides anything itself.
Read first: app.py.
"""
