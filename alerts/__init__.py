"""From new tenders to letters in mailboxes.

The story is in `alerts.editions`: open an edition, write its letters, hand them over.
Knows no source's format, no web page and no command; says nothing in French but through
templates and `alerts.reasons`.
"""
