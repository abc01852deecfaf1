"""`make demo`: the real main job on real notices, a fictional roster and a local mail server."""
