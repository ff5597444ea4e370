"""A trained network as a file: safetensors, with all that is needed to use it and to make it again in the header.

Tensors W0, b0, ... W5, b5 in float32, W_i (outputs, inputs). Header entries, each JSON: ``network`` {dim, eta_count,
activation, form}, where form is one of `forms.FORMS` and ``paper`` when it is absent; ``eta_map`` {names, low, high,
log}; ``training``; ``provenance``. Where the initial cloud was not a law by name, its particles are the tensor
``source`` (K, d), so that the file is all that a new cloud takes. In the form ``separable``, W5 and b5 are blocks of d
rows, one for each of `EtaMap.padding`: with c(eta) and h(x) the last hidden layer, f = x + sum_k c_k (W5_k h + b5_k).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import html
from ..base.files import JsonDict, local, open_regular, parse_json
from ..base.outputs import write_whole
from ..base.parsing import number
from ..base.records import Eta, FileEntries, Options, Provenance, Shape, as_record
from ..config import SimulateConfig
from ..errors import ConfigError, DataError
from ..provenance import simulation
from .eta_map import EtaMap
from .network.forms import FORMS, PLAIN
from .network.network import Network, Weights

FORMAT = "1"
#: Bytes. A model has about 20 000; its provenance may add some, and its source 6 MB.
LARGEST_FILE = 1 << 24
#: Particles of a source that a model carries, at most: 4 MB in the plane.
LARGEST_SOURCE = 1 << 19
DAMAGED = "the file is damaged; train again or take a copy"


class Model:
    """Weights ``theta``, the eta map, how it was trained (``training``) and on what (``provenance``).

    ``source`` (K, d) are particles of the initial cloud where that has no name under which all have it, else None.
    """

    def __init__(
        self,
        network: Network,
        theta: Weights,
        eta_map: EtaMap,
        training: JsonDict,
        provenance: JsonDict,
        source: NDArray[np.float32] | None = None,
    ) -> None:
        self.network, self.eta_map = network, eta_map
        self.theta = np.array(theta, np.float32)
        self.training, self.provenance, self.source = training, provenance, source

    @property
    def dim(self) -> int:
        return self.network.dim

    @property
    def sha256(self) -> str:
        """Hash of the weights."""
        return hashlib.sha256(self.theta.tobytes()).hexdigest()

    @property
    def simulation(self) -> SimulateConfig:
        """The simulation that the network learned; its plugins need not be installed.

        Raises `DataError` where it learned from clouds that ksdp did not simulate.
        """
        return simulation(self.provenance["simulation"], "this model")

    def describe(self) -> str:
        sizes = " x ".join(str(size) for size in self.network.sizes)
        form = "" if self.network.form == PLAIN else f", {self.network.form}"
        return f"{sizes}, tanh{form}, {self.network.parameter_count} parameters"

    def push(self, x: NDArray[np.floating], eta: ArrayLike, device: str = "cpu") -> NDArray[np.float32]:
        """f_theta(x; eta), (n, d) float32, for particles ``x`` (n, d) and parameters ``eta`` (p,) or (n, p).

        ``eta`` is in its own units; one (p,) is folded into a smaller network. torch is imported for another ``device``
        than ``cpu`` only. Raises `ConfigError`
        for a value that the eta map has no image of, as 0 on a logarithmic scale.
        """
        padding = self.eta_map.padding(self.network.form, eta)
        x = np.asarray(x, np.float32)
        if padding.ndim == 1:
            network, theta = self.network.at(self.theta, padding)
            if device == "cpu":
                return network.evaluate(theta, x)
            from .network.gpu import evaluate_alone

            return evaluate_alone(network, theta, x, device)
        inputs = np.concatenate([x, np.broadcast_to(padding, (len(x), padding.shape[-1]))], 1)
        if device == "cpu":
            return self.network.evaluate(self.theta, inputs)
        import torch

        from .network.gpu import evaluate

        return evaluate(self.network, torch.tensor(self.theta, device=device), inputs)

    def complete(self, given: Mapping[str, float | str]) -> dict[str, float]:
        """Every parameter with a value: as ``given``, else the largest trained one.

        Raises `ConfigError` for a name that the network does not have.
        """
        names = self.eta_map.names
        for name in given:
            if name not in names:
                fixed = self.provenance.get("simulation", {})
                why = f"; it is fixed at {fixed[name]} in this model" if name in fixed else ""
                raise ConfigError(f"this network has no parameter {name!r}{why}", f"it has: {', '.join(names)}")
        high = dict(zip(names, self.eta_map.high, strict=True))
        return {name: number(given[name]) if name in given else float(high[name]) for name in names}

    def __call__(self, x: NDArray[np.floating], **at: float | str) -> NDArray[np.float32]:
        """f_theta(x; eta), (n, d) float32, at parameters by name: ``model(x, A=50)``; see `complete` and `push`."""
        values = self.complete(at)
        return self.push(x, [values[name] for name in self.eta_map.names])

    def _repr_html_(self) -> str:
        eta = self.eta_map
        ranges = [(n, f"{low:g} to {high:g}") for n, low, high in zip(eta.names, eta.low, eta.high, strict=True)]
        return html.table(f"Model {self.describe()}", ("parameter", "trained range"), ranges)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: under a temporary name, to the disk, then renamed."""
        from safetensors.numpy import save

        path = Path(path)
        tensors = {}
        for level, (weight, bias) in enumerate(self.network.layers(self.theta)):
            tensors[f"W{level}"], tensors[f"b{level}"] = weight, bias
        shape = {"dim": self.dim, "eta_count": self.network.eta_count, "activation": "tanh", "form": self.network.form}
        header = {
            "ksdp_format": FORMAT,
            "network": json.dumps(shape),
            "eta_map": json.dumps(self.eta_map.as_json()),
            "training": json.dumps(self.training),
            "provenance": json.dumps(self.provenance),
            "weights_sha256": self.sha256,
        }
        if self.source is not None:
            tensors["source"] = np.ascontiguousarray(self.source, np.float32)
            header["source_sha256"] = hashlib.sha256(tensors["source"].tobytes()).hexdigest()
        header["header_sha256"] = _header_hash(header)
        with write_whole(path) as temporary:
            temporary.write_bytes(save(tensors, metadata=header))

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model. Raises `DataError` when it is missing, not one of ours, of another format, or damaged."""
        path = local(path)
        try:
            header, tensors = _read(path)
        except OSError as error:
            raise DataError(f"cannot read the model {path}: {error.strerror}", "check the path") from None
        except Exception as error:  # safetensors and json raise their own kinds; ours names the file
            raise DataError(f"{path} is no readable model: {error}", "it is damaged, or no safetensors file") from None
        if "ksdp_format" not in header:
            raise DataError(f"{path} is a safetensors file that ksdp did not write", "check the path")
        if header["ksdp_format"] != FORMAT:
            told = f"{path} has format {header['ksdp_format']!r}; this ksdp reads {FORMAT}"
            raise DataError(told, "update ksdp, or the file is damaged")
        if _header_hash(header) != header.get("header_sha256"):
            raise DataError(f"{path}: the header differs from what was written", DAMAGED)
        try:
            stored = {name: parse_json(header[name]) for name in ("network", "eta_map", "training", "provenance")}
            shape, eta = as_record(Shape, stored["network"]), as_record(Eta, stored["eta_map"])
            as_record(Options, stored["training"]), as_record(Provenance, stored["provenance"])
            known = shape.form in FORMS and FORMS[shape.form].takes(shape.eta_count)
            if not known or shape.eta_count != len(eta.names):
                raise ValueError(f"the network's form {shape.form!r} for {shape.eta_count} parameters")
            network = Network(shape.dim, shape.eta_count, shape.form)
            eta_map = EtaMap.from_json(stored["eta_map"])
            about = stored["training"], _said(stored["provenance"], path)
            theta, source = _join(network, tensors), _source(network, tensors, header)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} lacks or misstates {error}", DAMAGED) from None
        model = cls(network, theta, eta_map, *about, source)
        if model.sha256 != header.get("weights_sha256"):
            raise DataError(f"{path}: the weights differ from what was written", DAMAGED)
        if not np.isfinite(theta).all():
            raise DataError(f"{path}: {(~np.isfinite(theta)).sum()} weights are not finite", "train again")
        return model


def _said(provenance: JsonDict, path: Path) -> FileEntries:
    """Provenance that tells what it lacks when that is asked for."""
    if "simulation" in provenance:
        provenance = provenance | {"simulation": FileEntries(provenance["simulation"], path)}
    return FileEntries(provenance, path)


def made_here(path: Path) -> bool:
    """Whether ``path`` is a model that ksdp made, damaged or not."""
    return "ksdp_format" in _read_header(path)[0]


def _read_header(path: Path) -> tuple[dict[str, str], bytes]:
    """Metadata and all bytes; sizes are checked against the file before anything of their size is read."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise ValueError(f"it has {size} bytes, where a model has about 20 000")
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError(f"its header claims {length} bytes of a file of {size}")
        file.seek(0)
        raw = file.read()
    metadata = parse_json(raw[8 : 8 + length]).get("__metadata__", {})
    return {str(name): str(value) for name, value in metadata.items()}, raw


def _read(path: Path) -> tuple[dict[str, str], dict[str, NDArray[np.floating]]]:
    """Metadata and tensors."""
    from safetensors.numpy import load

    metadata, raw = _read_header(path)
    return metadata, load(raw)


def _join(network: Network, tensors: Mapping[str, NDArray[np.generic]]) -> Weights:
    """The flat vector of W0, b0, ...; `ValueError` when a shape or type is not that of the network."""
    theta = np.empty(network.parameter_count, np.float32)
    for level, pair in enumerate(network.layers(theta)):
        for name, view in zip((f"W{level}", f"b{level}"), pair, strict=True):
            tensor = tensors[name]
            if tensor.shape != view.shape or tensor.dtype != np.float32:
                raise ValueError(f"{name}: {tensor.dtype} {tensor.shape}, not float32 {view.shape}")
            view[...] = tensor
    return theta


def _source(
    network: Network, tensors: dict[str, NDArray[np.floating]], header: dict[str, str]
) -> NDArray[np.float32] | None:
    """The particles of the initial cloud, if the model has them; `ValueError` when they are not what was written."""
    if "source_sha256" not in header and "source" not in tensors:
        return None
    found = tensors["source"]
    sound = found.dtype == np.float32 and found.ndim == 2 and len(found) and found.shape[1] == network.dim
    if not sound or hashlib.sha256(found.tobytes()).hexdigest() != header["source_sha256"]:
        raise ValueError(f"source: {found.dtype} {found.shape} differs from what was written")
    if not np.isfinite(found).all():
        raise ValueError("source: particles that are not finite")
    return found


def _header_hash(header: dict[str, str]) -> str:
    kept = {name: value for name, value in header.items() if name != "header_sha256"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
