"""What runs machines: everything that waits, and the only writer of what happened."""
