"""The manifest: names the flow, without heavy imports."""

from ksdp_cli.plugin import Component, hookimpl


@hookimpl
def ksdp_flows() -> list[Component]:
    return [Component("abc", "ksdp_abc_flow.flow:ABC", "Arnold-Beltrami-Childress flow, chaotic streamlines")]
