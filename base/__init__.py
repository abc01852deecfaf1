"""What all packages stand on: settings, database, clock, logs, French typography.

Knows no tender, no member and no mail.
"""
