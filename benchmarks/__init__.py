"""Side-by-side measures, run by hand: never asserted in tests."""
