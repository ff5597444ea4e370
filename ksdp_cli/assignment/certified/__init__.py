"""The exact assignment with a dual certificate: auction, shortest paths, geometry."""
