"""From a kernel's scalar function to the compiled loops of every engine."""
