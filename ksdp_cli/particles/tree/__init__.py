"""The sub-quadratic pair sum: tree, proxies, traversal, and the accuracy measured on the cloud at hand."""
