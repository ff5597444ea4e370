"""The sub-quadratic pair sum: tree, proxies (P2M, M2M, L2L, L2P), traversal (M2L, P2L, M2P, P2P), measured accuracy."""
