"""The sections of `benchmarks/gpu.py`, in the order of their worth."""

from __future__ import annotations

from . import correctness, hardware, learning, rates, steps, trees
from .harness import Section

#: Seconds are what a section takes on an H100 with cold caches, as expected before any card was seen.
SECTIONS = [
    Section("device", hardware.card, 8),
    Section("correctness", correctness.pair_sums, 60),
    Section("noise", correctness.noise, 12),
    Section("steps", steps.laws, 35),
    Section("pairs", rates.pairs, 30),
    Section("times", steps.times, 25),
    Section("tree", trees.trees, 35),
    Section("network", learning.network, 25),
    Section("peers", rates.peers, 25),
    Section("training", learning.training, 35),
]
