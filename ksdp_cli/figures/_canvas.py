"""One look for all pictures, and files that do not depend on the machine, the time, or a user's matplotlibrc.

Figures are made as objects, without pyplot: no window, no global list of figures, no display needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError

#: What each format writes about itself; a date would make every file another one.
METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "font.size": 9,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.hashsalt": "ksdp",
}
#: Blue, orange and black are told apart in every common colour blindness (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9")


@contextmanager
def picture(path: str | Path, width: float, height: float) -> Iterator[Any]:
    """A figure of ``width`` x ``height`` inches, written to ``path`` when the block ends without an error.

    Raises `ConfigError` for a suffix that is not .png, .pdf or .svg.
    """
    target = Path(path)
    if target.suffix not in METADATA:
        raise ConfigError(f"the picture {target} ends in {target.suffix!r}", f"use one of {', '.join(METADATA)}")
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = Figure((width, height), layout="constrained")
        yield figure
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, metadata=METADATA[target.suffix])
