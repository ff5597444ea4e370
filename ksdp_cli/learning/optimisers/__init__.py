"""Steps of the weights."""
