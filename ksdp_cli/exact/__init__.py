"""Exact answers that runs are compared with: the radial problem, self-similar spreading, blow-up in space."""
