"""Export of stored runs to formats of other programs."""
