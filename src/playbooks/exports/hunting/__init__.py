"""Queries that find the behaviour of a finding elsewhere: Sigma rules, and the same for two products."""
