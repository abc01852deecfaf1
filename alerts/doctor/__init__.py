"""Is everything as it must be? Settings, database, relay, DNS, pages: asked, never changed.

Each check gives findings; the French of a finding, and what to do about it, is in scripts. It
sends no letter, writes no row, and knows no command.
"""
