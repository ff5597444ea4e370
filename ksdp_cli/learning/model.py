"""A trained network as a safetensors file; its header holds all that is needed to use and to reproduce it.

Tensors: W0, b0, ... W5, b5 in float32, W_i (outputs, inputs). Header entries, each JSON: ``network`` {dim, eta_count,
activation, form}, with form one of `forms.FORMS`, by default ``paper``; ``eta_map`` {names, low, high, log, before,
origin}; ``training``; ``provenance``; ``units`` {source, clouds}, each {length, origin}, where the network does not see
particles as they are. If the initial cloud has no registered name, the tensor ``source`` (K, d) holds its particles, so
that the file alone can generate a new cloud. In the forms ``separable`` and ``product``, W5 and b5 have one block of d
rows for each term of `EtaMap.padding`: with h(x) the last hidden layer, f = x + sum_k c_k(eta) (W5_k h + b5_k).
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
from ..base.parsing import number, option
from ..base.records import Eta, FileEntries, Options, Provenance, Shape, UnitsRecord, as_record
from ..config import SimulateConfig
from ..errors import ConfigError, DataError
from ..provenance import simulation
from .eta_map import EtaMap
from .network.forms import FORMS, PLAIN
from .network.network import Network, Weights
from .units import IDENTITY, Units

FORMAT = "1"
#: The format of a file with units or an origin of eta, which a reader of format 1 would ignore.
WITH_UNITS = "2"
#: Largest file in bytes. A model has about 20 000; a source may add 6 MB.
LARGEST_FILE = 1 << 24
#: Largest number of source particles in a model: 4 MB in the plane.
LARGEST_SOURCE = 1 << 19
POINTS = "'ksdp import' makes a store of a file of points"
DAMAGED = "the file is damaged; train again or restore a copy"


class Model:
    """Weights ``theta`` (float32 vector) and eta map of a network, its ``training`` options and ``provenance``.

    ``source`` (K, d) holds the particles of an initial cloud without a registered name, else None. The network reads
    particles in ``source_units`` and returns them in ``cloud_units``; `push` takes and returns them as they are.
    """

    def __init__(
        self,
        network: Network,
        theta: Weights,
        eta_map: EtaMap,
        training: JsonDict,
        provenance: JsonDict,
        source: NDArray[np.float32] | None = None,
        source_units: Units = IDENTITY,
        cloud_units: Units = IDENTITY,
    ) -> None:
        self.network, self.eta_map = network, eta_map
        self.theta = np.array(theta, np.float32)
        self.training, self.provenance, self.source = training, provenance, source
        self.source_units, self.cloud_units = source_units, cloud_units

    @property
    def dim(self) -> int:
        return self.network.dim

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights."""
        return hashlib.sha256(self.theta.tobytes()).hexdigest()

    @property
    def simulation(self) -> SimulateConfig:
        """The simulation that the network learned; its plugins need not be installed.

        Raises `DataError` where it learned from clouds that ksdp did not simulate.
        """
        return simulation(self.provenance["simulation"], "this model")

    def fold_units(self) -> tuple[Weights, float]:
        """Weights that take particles as they are, the units folded in; and the factor of x that is added to them."""
        theta, skip = self.theta.astype(np.float64), 0.0
        (first, bias), *_, (last, end) = self.network.layers(theta)
        read = first[:, : self.dim]
        read /= self.source_units.length
        origin, goal = (np.array(one.origin or [0.0] * self.dim) for one in (self.source_units, self.cloud_units))
        bias -= read @ origin
        last *= self.cloud_units.length
        end *= self.cloud_units.length
        if self.network.residual:
            skip = self.cloud_units.length / self.source_units.length
        end[: self.dim] += goal - skip * origin  # of the first term of eta, which is 1
        return theta.astype(np.float32), skip

    def describe(self) -> str:
        sizes = " x ".join(str(size) for size in self.network.sizes)
        form = "" if self.network.form == PLAIN else f", {self.network.form}"
        return f"{sizes}, tanh{form}, {self.network.parameter_count} parameters"

    def push(self, x: NDArray[np.floating], eta: ArrayLike, device: str = "cpu") -> NDArray[np.float32]:
        """f_theta(x; eta), (n, d) float32, for particles ``x`` (n, d) and parameters ``eta`` (p,) or (n, p).

        ``eta`` is in its own units; a single ``eta`` (p,) is folded into a smaller network. torch is imported only for
        a ``device`` other than ``cpu``. Raises `ConfigError` for a value outside the domain of the eta map, for example
        0 on a logarithmic scale.
        """
        padding = self.eta_map.padding(self.network.form, eta)
        return self.cloud_units.restore(self._evaluate(self.source_units.standardise(x), padding, device))

    def _evaluate(self, x: NDArray[np.float32], padding: NDArray[np.float32], device: str) -> NDArray[np.float32]:
        """The network at ``x`` (n, d) as it sees them, and one ``padding`` or one for each."""
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

    def complete(self, values: Mapping[str, float | str]) -> dict[str, float]:
        """Return a value for every parameter: that in ``values``, else the largest trained value.

        Raises `ConfigError` for a name that the network does not have.
        """
        names = self.eta_map.names
        for name in values:
            if name not in names:
                fixed = self.provenance.get("simulation", {})
                held = fixed.get(name)
                text = ", ".join(f"{v:g}" for v in held) if isinstance(held, list) else held
                why = f"; it is fixed at {text} in this model" if name in fixed else ""
                raise ConfigError(f"this network has no parameter {name!r}{why}", f"it has: {', '.join(names)}")
        complete = {name: float(high) for name, high in zip(names, self.eta_map.high, strict=True)}
        for name, value in values.items():
            with option(name):
                complete[name] = number(value)
        return complete

    def __call__(self, x: NDArray[np.floating], **at: float | str) -> NDArray[np.float32]:
        """f_theta(x; eta), (n, d) float32, with parameters by name, as in ``model(x, A=50)``; see `complete`,
        `push`."""
        values = self.complete(at)
        return self.push(x, [values[name] for name in self.eta_map.names])

    def ranges(self) -> list[tuple[str, str]]:
        """Return each parameter with its trained range as text."""
        eta = self.eta_map
        return [(n, f"{low:g} to {high:g}") for n, low, high in zip(eta.names, eta.low, eta.high, strict=True)]

    def __repr__(self) -> str:
        return f"<Model {self.describe()}; {', '.join(f'{name} = {span}' for name, span in self.ranges())}>"

    def _repr_html_(self) -> str:
        return html.table(f"Model {self.describe()}", ("parameter", "trained range"), self.ranges())

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: to a temporary name, synchronised, then renamed."""
        from safetensors.numpy import save

        path = Path(path)
        tensors = {}
        for level, (weight, bias) in enumerate(self.network.layers(self.theta)):
            tensors[f"W{level}"], tensors[f"b{level}"] = weight, bias
        plain = self.source_units.trivial and self.cloud_units.trivial and not self.eta_map.origin
        shape = {"dim": self.dim, "eta_count": self.network.eta_count, "activation": "tanh", "form": self.network.form}
        header = {
            "ksdp_format": FORMAT if plain else WITH_UNITS,
            "network": json.dumps(shape),
            "eta_map": json.dumps(self.eta_map.as_json()),
            "training": json.dumps(self.training),
            "provenance": json.dumps(self.provenance),
            "weights_sha256": self.sha256,
        }
        if not plain:
            both = {"source": self.source_units.as_json(), "clouds": self.cloud_units.as_json()}
            header["units"] = json.dumps(both)
        if self.source is not None:
            tensors["source"] = np.ascontiguousarray(self.source, np.float32)
            header["source_sha256"] = hashlib.sha256(tensors["source"].tobytes()).hexdigest()
        header["header_sha256"] = _header_hash(header)
        with write_whole(path) as temporary:
            temporary.write_bytes(save(tensors, metadata=header))

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model. Raises `DataError` if it is missing, not a model of ksdp, of another format, or damaged."""
        path = local(path)
        try:
            header, tensors = _read(path)
        except IsADirectoryError:
            raise DataError(f"{path} is a folder, and a model is a .safetensors file", "a store is no model") from None
        except OSError as error:
            raise DataError(f"cannot read the model {path}: {error.strerror}", "check the path") from None
        except Exception as error:  # safetensors and json raise their own errors
            if path.is_file() and path.suffix != ".safetensors":
                raise DataError(f"{path} is not a model, which is a .safetensors file", POINTS) from None
            advice = "give a safetensors file of ksdp that is not damaged"
            raise DataError(f"{path} is not a readable model: {error}", advice) from None
        if "ksdp_format" not in header:
            raise DataError(f"{path} is a safetensors file that ksdp did not write", "check the path")
        if header["ksdp_format"] not in (FORMAT, WITH_UNITS):
            message = f"{path} has format {header['ksdp_format']!r}; this ksdp reads {FORMAT} and {WITH_UNITS}"
            raise DataError(message, "update ksdp")
        if _header_hash(header) != header.get("header_sha256"):
            raise DataError(f"{path}: the header does not match its checksum", DAMAGED)
        try:
            parts = {name: parse_json(header[name]) for name in ("network", "eta_map", "training", "provenance")}
            shape, eta = as_record(Shape, parts["network"]), as_record(Eta, parts["eta_map"])
            as_record(Options, parts["training"]), as_record(Provenance, parts["provenance"])
            is_known = shape.form in FORMS and FORMS[shape.form].takes(shape.eta_count)
            if not is_known or shape.eta_count != len(eta.names):
                raise ValueError(f"the network's form {shape.form!r} for {shape.eta_count} parameters")
            network = Network(shape.dim, shape.eta_count, shape.form)
            eta_map = EtaMap.from_json(parts["eta_map"])
            about = parts["training"], _entries_of(parts["provenance"], path)
            theta, source = _join(network, tensors), _source(network, tensors, header)
            units = _units(network, header)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} has a missing or wrong entry: {error}", DAMAGED) from None
        model = cls(network, theta, eta_map, *about, source, *units)
        if model.sha256 != header.get("weights_sha256"):
            raise DataError(f"{path}: the weights do not match their checksum", DAMAGED)
        if not np.isfinite(theta).all():
            raise DataError(f"{path}: {(~np.isfinite(theta)).sum()} weights are not finite", "train again")
        return model


def _entries_of(provenance: JsonDict, path: Path) -> FileEntries:
    """Provenance that raises `DataError` when a missing entry is read."""
    if "simulation" in provenance:
        provenance = provenance | {"simulation": FileEntries(provenance["simulation"], path)}
    return FileEntries(provenance, path)


def made_here(path: Path) -> bool:
    """Whether ksdp wrote ``path`` as a model, damaged or not."""
    return "ksdp_format" in _read_header(path)[0]


def _read_header(path: Path) -> tuple[dict[str, str], bytes]:
    """Metadata and all bytes. Checks sizes against the file before reading. Raises `ValueError` for wrong sizes."""
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
    """The flat vector of W0, b0, ... Raises `ValueError` for a shape or dtype that is not the network's."""
    theta = np.empty(network.parameter_count, np.float32)
    for level, pair in enumerate(network.layers(theta)):
        for name, view in zip((f"W{level}", f"b{level}"), pair, strict=True):
            tensor = tensors[name]
            if tensor.shape != view.shape or tensor.dtype != np.float32:
                raise ValueError(f"{name}: {tensor.dtype} {tensor.shape}, not float32 {view.shape}")
            view[...] = tensor
    return theta


def _units(network: Network, header: dict[str, str]) -> tuple[Units, Units]:
    """The units of the source and of the clouds. Raises `KeyError` or `ValueError` if they are missing or wrong."""
    if header["ksdp_format"] == FORMAT:
        return IDENTITY, IDENTITY
    units = parse_json(header["units"])
    both = [as_record(UnitsRecord, units[name]) for name in ("source", "clouds")]
    if any(len(one.origin) not in (0, network.dim) for one in both):
        raise ValueError(f"an origin of units is not of dimension {network.dim}")
    source, clouds = (Units(one.length, tuple(one.origin)) for one in both)
    return source, clouds


def _source(
    network: Network, tensors: dict[str, NDArray[np.floating]], header: dict[str, str]
) -> NDArray[np.float32] | None:
    """The tensor ``source``, or None. Raises `ValueError` if it is damaged or not finite."""
    if "source_sha256" not in header and "source" not in tensors:
        return None
    source = tensors["source"]
    valid = source.dtype == np.float32 and source.ndim == 2 and len(source) and source.shape[1] == network.dim
    if not valid or hashlib.sha256(source.tobytes()).hexdigest() != header["source_sha256"]:
        raise ValueError(f"source: {source.dtype} {source.shape} does not match its checksum")
    if not np.isfinite(source).all():
        raise ValueError("source: particles that are not finite")
    return source


def _header_hash(header: dict[str, str]) -> str:
    entries = {name: value for name, value in header.items() if name != "header_sha256"}
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
