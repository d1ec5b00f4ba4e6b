"""Acquire: ask, read-only, and keep every answer as evidence with request, time, collector and digest."""
