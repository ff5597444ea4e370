"""Films of clouds (GIF, WebP, MP4) with the same axes, cells and colours in every picture."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.outputs import write_whole
from ..base.shapes import Cloud
from ..errors import ConfigError, ResourceError
from ._canvas import MAKER, XMP, canvas, mend_texts
from ._density import levelled, limits, projections_of, require_clouds
from ._field import Field
from ._panels import CUBE_ROOT, Cell, Row, count, paint, scaled
from .histograms import PAIR, SHEET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILMS = (".gif", ".webp", ".mp4")
#: Length of a film in seconds; smallest and largest number of pictures a second.
SECONDS, SLOWEST, FASTEST = 6.0, 4, 25
DOTS_PER_INCH = 110
#: One picture (height, width, 3) of bytes.
Still = NDArray[np.uint8]


def film(
    clouds: Sequence[tuple[str, Cloud]], path: Path, *, title: str = "", fields: Sequence[Field | None] = ()
) -> None:
    """Write the densities of (label, cloud (n, d)), a picture each, to ``path`` (.gif, .webp, .mp4), whole.

    ``fields`` are the chemical under each. In 3D a picture shows all three projections. Raises as `histogram_sheet`,
    and `ResourceError` for .mp4 where there is no ffmpeg.
    """
    if path.suffix not in FILMS:
        raise ConfigError(f"the film {path} ends in {path.suffix!r}", f"use one of {', '.join(FILMS)}")
    if len(clouds) < 2:
        raise ConfigError("a film of one cloud", "choose several, as --t 0:0.1:51, or a picture, as -o cloud.png")
    program = require_ffmpeg() if path.suffix == ".mp4" else ""
    rate = int(np.clip(round(len(clouds) / SECONDS), SLOWEST, FASTEST))
    with write_whole(path) as partial:
        if program:
            _write_mp4(program, stills(clouds, title, fields), partial, rate)
        else:
            _write_pillow(stills(clouds, title, fields), partial, path.suffix, rate)


def stills(clouds: Sequence[tuple[str, Cloud]], title: str, fields: Sequence[Field | None] = ()) -> Iterator[Still]:
    """The pictures of a film, all of the same even width and height."""
    every = [cloud for _, cloud in clouds]
    require_clouds(every)
    projections = projections_of(every[0].shape[1])
    ends = levelled(limits(every), projections)
    under = [*fields, *[None] * (len(clouds) - len(fields))]
    rows = [
        Row([Cell(cloud, axes, ends[list(axes)], label, field) for axes in projections], 0)
        for (label, cloud), field in zip(clouds, under, strict=True)
    ]
    counts = count(rows)
    inch, size = scaled(rows[:1], title, min(SHEET, PAIR / 2 * max(len(projections), 1.6)))
    for row, densities in zip(rows, counts.rows, strict=True):
        with canvas(*size, layout="compressed") as figure:
            paint(figure, [row], replace(counts, rows=[densities]), title, inch, CUBE_ROOT)
            mend_texts(figure)
            yield _pixels(figure)


def require_ffmpeg() -> str:
    """The path of ffmpeg. Raises `ResourceError` if it is not installed."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise ResourceError(
            "an .mp4 needs the program ffmpeg, which is not installed", "install it, or use .gif or .webp"
        )
    return program


def _pixels(figure: Figure) -> Still:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    height, width = (side - side % 2 for side in pixels.shape[:2])  # MP4 needs even sizes
    return np.ascontiguousarray(pixels[:height, :width])


def _write_pillow(pictures: Iterator[Still], path: Path, suffix: str, rate: int) -> None:
    from PIL import Image

    first, *others = [Image.fromarray(one) for one in pictures]
    options: dict[str, Any] = {"comment": MAKER.encode()} if suffix == ".gif" else {"xmp": XMP, "quality": 85}
    first.save(
        path, format=suffix[1:], save_all=True, append_images=others, duration=round(1000 / rate), loop=0, **options
    )


def _write_mp4(program: str, pictures: Iterator[Still], path: Path, rate: int) -> None:
    first = next(pictures)
    height, width = first.shape[:2]
    words = [program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    words += ["-r", str(rate), "-i", "-", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    words += ["-metadata", f"comment={MAKER}", "-f", "mp4", str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(first.tobytes())
            for one in pictures:
                process.stdin.write(one.tobytes())
        except BrokenPipeError:
            pass  # its error output below gives the reason
        _, errors = process.communicate()
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ResourceError(f"ffmpeg ended with code {process.returncode}: {lines[-1]}", "use .gif or .webp")
