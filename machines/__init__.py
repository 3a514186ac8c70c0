"""State machines: what they are (core), what they do (actions) and how they run (runtime)."""
