"""The paper's warm-up: a network generates the cloud at an earlier time, and a simulation continues from it.

python examples/05_warm_start.py
"""

import ksdp_cli as ksdp

common = {"flow": "laminar2d", "A": 30, "J": 4000, "dt": 5e-4, "overwrite": True}
run = ksdp.simulate(snapshots=[0.0, 0.01, 0.02, 0.03, 0.04], out="runs/times.zarr", **common)
trained = ksdp.train(run, N=500, steps=600, out="runs/times.safetensors", overwrite=True)

# to t = 0.04 by the network, from 0.04 to 0.06 by particles; the store of the cloud holds its time
warm = ksdp.sample(trained, n=4000, t=0.04, out="runs/warm.zarr", overwrite=True)
continued = ksdp.simulate(init=warm, T=0.02, out="runs/continued.zarr", **common)
whole = [ksdp.simulate(T=0.06, seed=seed, out=f"runs/whole-{seed}.zarr", **common) for seed in (6, 7)]

result = ksdp.compare(continued, whole[0], floor=whole[1], N=2000).comparison
print(f"warm start against whole runs: {result.w2_squared:.4f}, noise floor {result.floor:.4f}: {result.verdict}")
