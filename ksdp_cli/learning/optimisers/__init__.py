"""Optimisers of the weights."""
