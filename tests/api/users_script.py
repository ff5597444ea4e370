"""What a user writes, for type checkers: `test_typing.py` has them read it, and nobody runs it."""

from pathlib import Path

import numpy as np

import ksdp

run = ksdp.simulate(flow="laminar2d", A=[1, 10], J=100, T=0.01, device="cpu")
trained = ksdp.train(run, steps=10, solver="certified")
sampled = ksdp.sample(trained.path, n=10, A=5)
cloud = sampled.frame()
first: float = float(cloud[0, 0])

again = ksdp.open_run(Path(run.path))
for case, values in enumerate(again.cases):
    for k, t in enumerate(again.times):
        frame = again.frame(case, k)
        print(values["A"], t, frame.shape, frame.mean(axis=0))
print(run.dataset().sizes)

model = ksdp.open_model("laminar2d-amplitude")
moved = model(ksdp.rng.uniforms(0, 0, 0, 0, 3, 2), A=50)
print(moved.shape, run.simulation.J, model.simulation)

distance: float = ksdp.compare(model, "simulate", A=50).comparison.w2_squared
own = ksdp.clouds({1.0: np.zeros((5, 2)), 2.0: np.ones((5, 2))}, names=["A"], source=np.zeros((5, 2)))
other = ksdp.compare(own, run, N=50, metrics=["sliced"])
law = ksdp.reference.radial(0.05)
moment = law.second_moment(0.05)

pictures = ksdp.plot(run, A=[1, 10])
page = ksdp.report(run.path)
exported = ksdp.export(run, "a.csv", t=0.01)
done = ksdp.reproduce("fig1")
facts = ksdp.info(run.path)
print(facts["command"], pictures, page, exported.path, done, other, own.J, moment)


def progress(stage: str, done: int, total: int, note: str = "") -> None:
    print(stage, done, total, note)


try:
    ksdp.simulate(T=0.01, progress=progress, warn=print)
except ksdp.KsdpError as error:
    print(error.exit_code, ksdp.models())
