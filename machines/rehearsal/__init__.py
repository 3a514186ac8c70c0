"""Rehearsals: machines that run on a virtual clock, with nothing started and nothing written."""
