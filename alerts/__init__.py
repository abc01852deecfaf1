"""From new tenders to letters in mailboxes.

The story is in `alerts.editions`: open an edition, write its letters, hand them over.
"""
