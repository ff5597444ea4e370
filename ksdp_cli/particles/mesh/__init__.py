"""Particles on a grid: B-spline deposit and gather, and the fields that live there."""
