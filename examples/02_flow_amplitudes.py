"""A sweep over the amplitude of a flow: one store, opened by xarray, and a picture of the first and the last case.

python examples/02_flow_amplitudes.py
"""

import ksdp_cli as ksdp
from ksdp_cli.figures import histogram_pair

run = ksdp.simulate(
    flow="laminar2d", A=[1, 10, 100], T=0.02, J=4000, dt=5e-4, overwrite=True, out="runs/amplitudes.zarr"
)
data = run.dataset()
print(data)
print(data.position.mean(("time", "particle")).to_pandas())

first, last = run.frame(case=0), run.frame(case=2)
histogram_pair(first, last, "runs/amplitudes.png", title="laminar flow (19), t = 0.02", labels=("A = 1", "A = 100"))
