"""Time steps for equation (8): dX = b(X, t) dt + sqrt(2 mu) dW with additive noise. One file a scheme."""
