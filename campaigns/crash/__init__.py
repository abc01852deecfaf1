"""Workers killed again and again, in the midst of everything: nothing lost, doubled or denied."""
