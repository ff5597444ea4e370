"""The compiler from a kernel's scalar function to the loops of every engine."""
