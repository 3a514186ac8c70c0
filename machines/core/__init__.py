"""The pure core: what a machine is and what happens next. No I/O, no clock, no randomness."""
