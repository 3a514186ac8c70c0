"""Measurements: each prints ours beside a raw limit or a peer of the same run."""
