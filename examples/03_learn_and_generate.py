"""Learn the cloud as a function of the amplitude, generate it at a new amplitude, and compare with a simulation.

python examples/03_learn_and_generate.py
"""

import ksdp_cli as ksdp

common = {"flow": "laminar2d", "T": 0.02, "J": 4000, "dt": 5e-4, "overwrite": True}
run = ksdp.simulate(A=[1, 3, 10, 30, 100], out="runs/sweep.zarr", **common)
trained = ksdp.train(run, N=500, steps=600, out="runs/sweep.safetensors", overwrite=True)

generated = ksdp.sample(trained, n=100_000, A=50, out="runs/generated.zarr", overwrite=True)
references = [ksdp.simulate(A=50, seed=seed, out=f"runs/fresh-{seed}.zarr", **common) for seed in (1, 2)]
result = ksdp.compare(generated, references[0], floor=references[1], N=1000).comparison

print(f"squared W2 at N = {result.N}: {result.w2_squared:.4f}, noise floor {result.floor:.4f}: {result.verdict}")
