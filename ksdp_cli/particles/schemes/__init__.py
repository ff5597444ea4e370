"""Time schemes for equation (8), dX = b(X, t) dt + sqrt(2 mu) dW with additive noise; one file each."""
