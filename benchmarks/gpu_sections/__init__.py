"""The sections of `benchmarks/gpu.py`, in the order of their worth."""

from __future__ import annotations

from . import correctness, hardware, learning, peers, ranks, rates, steps, tools, trees
from .harness import Section

#: Seconds are what a section took on an H200 with cold caches; those of the last four are guesses.
SECTIONS = [
    Section("device", hardware.card, 4),
    Section("correctness", correctness.pair_sums, 14),
    Section("noise", correctness.noise, 7),
    Section("steps", steps.laws, 29),
    Section("pairs", rates.pairs, 12),
    Section("times", steps.times, 7),
    Section("tree", trees.trees, 4),
    Section("network", learning.network, 22),
    Section("training", learning.training, 55),
    Section("ranks", ranks.ranks, 30),
    Section("tools", tools.tools, 40),
    Section("peers", peers.peers, 40),
]
