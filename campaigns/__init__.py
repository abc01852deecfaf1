"""Long trials that print figures: the product under faults, watched from outside."""
