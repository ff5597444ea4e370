"""The exact assignment with a dual certificate: auction, shortest paths, geometry."""

#: Space dimensions that this solver supports, at most.
AXES = 3
