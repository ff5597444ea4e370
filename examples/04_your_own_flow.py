"""Your own flow, defined in this script and passed as a class, without a package or registration.

python examples/04_your_own_flow.py
"""

import ksdp_cli as ksdp
from ksdp_cli.plugin import Field, Params, namespace


class CellParams(Params):
    A: float = Field(10.0, description="flow amplitude [length / time]")
    k: float = Field(3.0, gt=0, description="wave number of the cells [1 / length]")


class Cells:
    """v = A (sin kx cos ky, -cos kx sin ky): counter-rotating cells, divergence-free."""

    dims = (2,)
    Params = CellParams

    def __init__(self, params: CellParams, dim: int) -> None:
        self.params = params

    def velocity(self, x, t):
        xp = namespace(x)
        u = xp.sin(self.params.k * x[:, 0]) * xp.cos(self.params.k * x[:, 1])
        v = -xp.cos(self.params.k * x[:, 0]) * xp.sin(self.params.k * x[:, 1])
        return self.params.A * xp.stack([u, v], 1)


run = ksdp.simulate(flow=Cells, A=[0, 20], k=4, T=0.05, J=4000, dt=5e-4, overwrite=True, out="runs/cells.zarr")
for case, parameters in enumerate(run.cases):
    cloud = run.frame(case)
    print(f"A = {parameters['A']:g}: E|x|^2 = {(cloud.astype(float) ** 2).sum(1).mean():.4f}")
