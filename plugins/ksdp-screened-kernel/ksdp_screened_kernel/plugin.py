"""The manifest: names the kernel, without heavy imports."""

from ksdp_cli.plugin import Component, hookimpl


@hookimpl
def ksdp_kernels() -> list[Component]:
    return [Component("screened", "ksdp_screened_kernel.kernel:Screened", "eq. (1) with k > 0: screened beyond 1/k")]
