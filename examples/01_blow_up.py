"""Aggregation without flow: the second moment against law (6), the mass near the origin against the radial solution.

python examples/01_blow_up.py
"""

import math

import ksdp_cli as ksdp
from ksdp_cli.exact.radial import radial
from ksdp_cli.metrics import moments, radial_distribution

M = 16 * math.pi  # twice the critical mass: the cloud collapses before t = 0.125
run = ksdp.simulate(M=M, J=4000, dt=5e-4, snapshots=[0.0, 0.025, 0.05, 0.075], overwrite=True, out="runs/blow-up.zarr")

solution = radial(0.075)
print("   t    E|x|^2 +- s.e.        law (6)   mass within r = 0.2: particles, radial problem")
for k, t in enumerate(run.times):
    cloud = run.frame(0, k)
    m = moments(cloud)
    near = float(radial_distribution(cloud, [0.2])[0])
    row = f"{t:.3f}  {m.second_moment:.4f} +- {m.second_moment_se:.4f}   {0.5 + (4 - M / (2 * math.pi)) * t:.4f}"
    print(f"{row}    {near:.3f}  {float(solution.mass_within(0.2, t)):.3f}")
