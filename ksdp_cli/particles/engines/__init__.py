"""Engines of the pair sum of equation (8), and the choice among them."""
