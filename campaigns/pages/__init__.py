"""Long trials of the members' pages: scanners, forged links, clicks while letters leave."""
