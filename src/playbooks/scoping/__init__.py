"""Scoping: one file per question asked of the events, and the few things that several of them stand on."""
