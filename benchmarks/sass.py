"""Bound the speed of the GPU programs without a GPU: Triton compiles them for a card, and the machine code is counted.

For every kernel, dimension, type and engine, and for the noise: instructions a pair in the innermost loop, registers
and spills (LDL + STL), warps that fit on a multiprocessor, and the bound of pairs a second

    multiprocessors x 4 schedulers x 32 lanes x clock / cycles of a pair,

where a scheduler issues one instruction a cycle, and a special function, a shuffle or a float64 operation holds its
unit for longer (`COSTS`, from NVIDIA's H100 and A100 white papers). "hand" uses the fewest instructions that the
formula needs, counted by hand (`HAND`). Bounds are for the `CARDS` at their full clock.

    python benchmarks/sass.py               the table
    python benchmarks/sass.py --json        rows, as tests/particles/sass_table.json keeps them
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import multiprocessing
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer

KERNELS = {"blob": Blob, "eq7": Eq7, "gaussian": Gaussian, "plummer": Plummer, "coulomb": Coulomb}
#: Multiprocessors and clock in Hz: an H100 SXM and an A100 SXM.
CARDS = {90: (132, 1.98e9), 80: (108, 1.41e9)}
#: Cycles for which an instruction holds a scheduler's unit, beside the one in which it is issued.
COSTS = {90: {"mufu": 8, "shfl": 4, "f64": 2, "f32": 1}, 80: {"mufu": 8, "shfl": 4, "f64": 4, "f32": 2}}
GROUPS = {
    "f32": ("FADD", "FMUL", "FFMA"),
    "f64": ("DADD", "DMUL", "DFMA", "DSETP"),
    "mufu": ("MUFU",),
    "shfl": ("SHFL",),
}
#: Operations of a pair by hand: 6 or 9 plain ones for differences, distance and sum, then the kernel's; ``select`` also
#: counts comparisons.
HAND: dict[tuple[str, int], dict[str, int]] = {
    ("blob", 2): {"plain": 7, "rcp": 1},
    ("plummer", 2): {"plain": 7, "rcp": 1},
    ("coulomb", 2): {"plain": 6, "rcp": 1},
    ("eq7", 2): {"plain": 10, "rcp": 1, "log": 1},
    ("gaussian", 2): {"plain": 14, "select": 2, "rcp": 1, "exp": 1},
    ("blob", 3): {"plain": 11, "rcp": 1, "rsqrt": 1},
    ("plummer", 3): {"plain": 12, "rsqrt": 1},
    ("coulomb", 3): {"plain": 11, "rsqrt": 1},
    ("eq7", 3): {"plain": 14, "rcp": 1, "rsqrt": 1},
    ("gaussian", 3): {"plain": 19, "select": 2, "rcp": 1, "rsqrt": 1, "exp": 1, "erf": 1},
}
#: Beside a special function each: float32 operations of an exponential and an error function, and float64 ones of all.
HAND_F32 = {"exp": 1, "erf": 14}
HAND_F64 = {"rcp": 4, "rsqrt": 5, "log": 20, "exp": 14, "erf": 30}
REAL = {"float32": "*fp32", "float64": "*fp64"}
#: Types of the programs' arguments by name, where it is neither an int32 nor a pointer to the engine's type.
KINDS = {
    "partial": "*fp64",
    **dict.fromkeys(("near", "far", "held"), "*i32"),
    **dict.fromkeys(("order", "ends", "key"), "*i64"),
    "opening": "fp32",
    **dict.fromkeys(("seed", "start", "stream"), "i64"),
    "step": "*i64",
}
REALS = ("targets", "sources", "p", "s", "x", "weight", "box", "nodes", "low", "high", "force", "out")
LINE = re.compile(r"^\s+/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([A-Z0-9_.]+)(.*?);")


class Program(NamedTuple):
    """One program to compile; ``kernel`` is empty for those without pairs."""

    engine: str
    kernel: str
    dim: int
    dtype: str
    sm: int


def _direct(program: Program) -> tuple[Any, dict[str, int]]:
    from ksdp_cli.particles.engines import direct_cpu, direct_gpu
    from ksdp_cli.particles.kernel_compiler import source as kernel_source

    text = direct_cpu.template("direct_gpu")
    module = kernel_source.load_module(text, KERNELS[program.kernel], program.dim, "triton")
    return module.pair_sum, {"CHUNK": direct_gpu.CHUNK, **direct_gpu.launch(program.dim, program.dtype)}


def _tree(program: Program) -> tuple[Any, dict[str, int]]:
    from ksdp_cli.particles.engines import direct_cpu, direct_gpu
    from ksdp_cli.particles.kernel_compiler import source as kernel_source
    from ksdp_cli.particles.tree import gpu as tree_gpu

    text = direct_cpu.template("tree_gpu")
    module = kernel_source.load_module(text, KERNELS[program.kernel], program.dim, "triton")
    options = tree_gpu.options(program.dim, program.dtype)
    sizes = {"D": program.dim, "CHUNK": direct_gpu.CHUNK, "BLOCKS": tree_gpu.LEAF // options["TARGETS"]}
    return module.list_sum, sizes | options


def _noise(program: Program) -> tuple[Any, dict[str, int]]:
    from ksdp_cli.particles.engines import direct_cpu
    from ksdp_cli.particles.kernel_compiler import module_cache

    return module_cache.import_text(direct_cpu.template("noise_gpu"), "noise_gpu").fill, {
        "D": program.dim,
        "BLOCK": 1024,
    }


def _tree_build(name: str, program: Program) -> tuple[Any, dict[str, int]]:
    from ksdp_cli.particles.tree import gpu as tree_gpu
    from ksdp_cli.particles.tree import gpu_build as tree_gpu_build
    from ksdp_cli.particles.tree import gpu_lists as tree_gpu_lists

    sizes: dict[str, dict[str, int]] = {
        "curve": {"BITS": tree_gpu_build.BITS[program.dim], "BLOCK": tree_gpu_build.KEYS},
        "leaf_boxes": {"LEAF": tree_gpu.LEAF, "num_warps": 1},
        "inner_boxes": {"BLOCK": tree_gpu_build.UNION, "num_warps": 1},
        "gather": {"OUT": tree_gpu_build.OUT, "BLOCK": tree_gpu_build.BLOCK},
        "walk": {"WRITE": 1, "BLOCK": tree_gpu_lists.LANES, "num_warps": 1},
    }
    return getattr(tree_gpu_build.programs(), name), {"D": program.dim, **sizes[name]}


#: Programs that make the tree and its lists.
BUILDING = ("curve", "leaf_boxes", "inner_boxes", "gather", "walk")
#: How an engine's program is made: the function, and its constants with the launch options. Add others here.
PAIRS: dict[str, Callable[[Program], tuple[Any, dict[str, int]]]] = {"direct": _direct, "tree": _tree}
OTHERS: dict[str, Callable[[Program], tuple[Any, dict[str, int]]]] = {
    "noise": _noise,
    **{name: functools.partial(_tree_build, name) for name in BUILDING},
}


def programs(sms: tuple[int, ...] = (90, 80)) -> Iterator[Program]:
    for sm in sms:
        for dim in (2, 3):
            for engine in PAIRS:
                for dtype in REAL:
                    yield from (Program(engine, kernel, dim, dtype, sm) for kernel in KERNELS)
            yield from (Program(engine, "", dim, "float32", sm) for engine in OTHERS)


def compiled(program: Program) -> tuple[Any, float]:
    """Triton's result, and the pairs of a thread in an iteration of the innermost loop (0: no pairs)."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    function, arguments = (PAIRS | OTHERS)[program.engine](program)
    options = {name: arguments.pop(name) for name in ("num_warps", "num_stages", "maxnreg") if name in arguments}
    kinds = {}
    for name in function.arg_names:
        kind = REAL[program.dtype] if name in REALS else "i32"
        kinds[name] = "constexpr" if name in arguments else KINDS.get(name, kind)
    aligned = {(i,): [["tt.divisibility", 16]] for i, kind in enumerate(kinds.values()) if kind.startswith("*")}
    built = triton.compile(
        ASTSource(function, kinds, arguments, aligned),
        target=GPUTarget("cuda", program.sm, 32),
        options={"enable_fp_fusion": True, **options},
    )
    block = arguments.get("TARGETS", 0) * arguments.get("SOURCES", 0) * arguments.get("UNROLL", 1)
    pairs = block / 32 / built.metadata.num_warps if program.kernel else 0.0
    return built, pairs


def disassemble(cubin: bytes) -> tuple[list[tuple[int, str, str]], int]:
    """The instructions (address, name, rest), and the registers of a thread, by the disassembler beside Triton."""
    import triton.backends.nvidia as nvidia

    tool = Path(next(iter(nvidia.__path__))) / "bin" / "cuobjdump"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.cubin"
        file.write_bytes(cubin)
        asked = [tool, "-sass", "-res-usage", file]
        text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found = (LINE.match(line) for line in text.splitlines())
    used = re.search(r"REG:(\d+)", text)
    assert used is not None
    return [(int(m[1], 16), m[2], m[3]) for m in found if m], int(used[1])


def innermost(code: list[tuple[int, str, str]]) -> collections.Counter[str]:
    """Instructions, by name, of the loop without a loop in it that computes most."""
    loops = []
    for address, name, rest in code:
        to = re.search(r"0x([0-9a-f]+)", rest) if name.startswith("BRA") else None
        if to and int(to[1], 16) < address:
            loops.append((int(to[1], 16), address))
    inner = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    counts = [collections.Counter(n.split(".")[0] for at, n, _ in code if a <= at <= b) for a, b in inner]
    return max(counts, key=lambda c: sum(c[name] for name in (*GROUPS["f32"], *GROUPS["f64"])))


def measure(program: Program) -> dict[str, Any]:
    """A row of the table."""
    import triton

    built, pairs = compiled(program)
    code, registers = disassemble(built.asm["cubin"])
    warps = built.metadata.num_warps
    blocks = 65536 // (-(-registers // 8) * 8 * 32 * warps)
    row: dict[str, Any] = {
        **program._asdict(),
        "instructions_per_pair": None,
        "registers": registers,
        "spills": sum(name.split(".")[0] in ("LDL", "STL") for _, name, _ in code),
        "warps": min(blocks, 32) * warps,
        "triton": triton.__version__,
    }
    if pairs:
        loop = innermost(code)
        row["instructions_per_pair"] = round(loop.total() / pairs, 2)
        row |= {group: round(sum(loop[n] for n in names) / pairs, 2) for group, names in GROUPS.items()}
    return row


def cycles(row: dict[str, Any]) -> float:
    """Cycles of a scheduler for 32 pairs."""
    return max(row["instructions_per_pair"], *(cost * row[unit] for unit, cost in COSTS[row["sm"]].items()))


def hand(kernel: str, dim: int, dtype: str, sm: int) -> dict[str, Any]:
    """A row by the counts of `HAND`."""
    work = collections.Counter(HAND[kernel, dim])
    plain, select = work.pop("plain"), work.pop("select", 0)
    special = work.total()
    plain += sum((HAND_F32 if dtype == "float32" else HAND_F64).get(name, 0) * n for name, n in work.items())
    unit = {"f32": plain, "f64": 0} if dtype == "float32" else {"f32": 0, "f64": plain}
    return {"sm": sm, "instructions_per_pair": plain + select + special, "mufu": special, "shfl": 0, **unit}


def rate(row: dict[str, Any], multiprocessors: int | None = None, clock: float | None = None) -> float:
    """Bound of pairs a second of a row, on its architecture's card of `CARDS` unless told otherwise."""
    card = CARDS[row["sm"]]
    return (multiprocessors or card[0]) * 4 * 32 * (clock or card[1]) / cycles(row)


@functools.cache
def _measured(program: Program) -> dict[str, Any]:
    return measure(program)


def bound(
    kernel: str,
    dim: int,
    dtype: str,
    *,
    engine: str = "direct",
    sm: int = 90,
    multiprocessors: int | None = None,
    clock: float | None = None,
) -> dict[str, float]:
    """Pairs a second that the program's own machine code allows (``sass``), and that the count by hand does (``hand``).

    ``kernel`` is a key of `KERNELS`, ``clock`` in Hz. Compiles the program.
    """
    own = _measured(Program(engine, kernel, dim, dtype, sm))
    return {
        "sass": rate(own, multiprocessors, clock),
        "hand": rate(hand(kernel, dim, dtype, sm), multiprocessors, clock),
    }


def show(rows: list[dict[str, Any]]) -> None:
    print("sm engine kernel    d type     instr/pair  mufu   f64  regs spills warps  pairs/s    hand  share")
    for row in rows:
        start = f"{row['sm']} {row['engine']:6} {row['kernel']:9} {row['dim']} {row['dtype']:8}"
        resources = f"{row['registers']:5} {row['spills']:6} {row['warps']:5}"
        if row["instructions_per_pair"] is None:
            print(f"{start} {'-':>10} {'-':>5} {'-':>5} {resources}")
            continue
        own, best = rate(row), rate(hand(row["kernel"], row["dim"], row["dtype"], row["sm"]))
        counts = f"{row['instructions_per_pair']:10.2f} {row['mufu']:5.2f} {row['f64']:5.1f}"
        print(f"{start} {counts} {resources} {own:8.2e} {best:7.1e} {own / best:5.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="rows instead of a table")
    parser.add_argument("--sm", type=int, choices=(80, 90), action="append", help="only this architecture")
    parser.add_argument("--engine", choices=[*PAIRS, *OTHERS], action="append", help="only this engine")
    parser.add_argument("--kernel", choices=[*KERNELS], action="append", help="of those with pairs, only this kernel")
    parser.add_argument("--dtype", choices=[*REAL], action="append", help="only this type")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    wanted = [
        p
        for p in programs(tuple(asked.sm or (90, 80)))
        if (not asked.engine or p.engine in asked.engine)
        and (not asked.kernel or p.kernel in ("", *asked.kernel))
        and (not asked.dtype or p.dtype in asked.dtype)
    ]
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        rows = pool.map(measure, wanted, chunksize=1)
    if asked.json:
        print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    else:
        show(rows)


if __name__ == "__main__":
    main()
