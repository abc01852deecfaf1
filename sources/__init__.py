"""Where tenders come from: fetch a document, read it into releases, take them in.

Knows no member and no mail.
"""
