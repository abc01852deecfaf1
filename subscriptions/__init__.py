"""Members, what they asked for, how they change and stop it.

Knows no tender and sends nothing.
"""
