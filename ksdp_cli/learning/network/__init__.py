"""The network of equation (13): its forms, and its passes on the CPU and the GPU."""
