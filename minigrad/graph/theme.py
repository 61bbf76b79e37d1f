"""Colours and the legend: three hues that colour-blind readers tell apart, all else grey."""

from __future__ import annotations

from minigrad.graph.model import Gradient, Graph

# What a colour is for: in light, and in dark pictures.
COLOURS = {
    "text": ("#1A1A1A", "#ECECEC"),
    "muted": ("#595959", "#ABABAB"),
    "edge": ("#767676", "#8F8F8F"),
    "op": ("#F2F2F2", "#2E2E2E"),
    "op_border": ("#757575", "#909090"),
    "folder": ("#E4E4E4", "#3A3A3A"),
    "plain": ("#FFFFFF", "#1E1E1E"),
    "parameter": ("#CFE5F6", "#123B57"),
    "parameter_border": ("#0072B2", "#56B4E9"),
    "output": ("#D6EFE2", "#12402F"),
    "output_border": ("#00795A", "#2FC49A"),
    "bad": ("#FBD9C6", "#5C2A06"),
    "bad_border": ("#D55E00", "#F58A3C"),
    # Gradients from vanished to large: the lightness says log10 of the RMS.
    "op_0": ("#FDFDFD", "#242424"),
    "op_1": ("#F1F1F1", "#303030"),
    "op_2": ("#E2E2E2", "#3E3E3E"),
    "op_3": ("#D0D0D0", "#4E4E4E"),
    "op_4": ("#BABABA", "#606060"),
    "parameter_0": ("#F4F9FD", "#0A2233"),
    "parameter_1": ("#E1EFFA", "#0E3049"),
    "parameter_2": ("#CEE4F5", "#123F60"),
    "parameter_3": ("#B0D3EE", "#17517B"),
    "parameter_4": ("#8FC1E6", "#1D6498"),
}
# For each kind of box: its shape, style, fill and border.
LOOKS = {
    "op": ("box", "rounded,filled", "op", "op_border"),
    "sweep": ("note", "filled", "op", "op_border"),
    "module": ("folder", "filled", "folder", "op_border"),
    "input": ("ellipse", "filled", "plain", "op_border"),
    "constant": ("ellipse", "filled", "plain", "op_border"),
    "parameter": ("box", "filled", "parameter", "parameter_border"),
    "output": ("doubleoctagon", "filled", "output", "output_border"),
    "reference": ("box", "rounded,filled,dashed", "plain", "op_border"),
    "hidden": ("box", "rounded,filled,dashed", "plain", "op_border"),
    # Of the legend alone.
    "dotted": ("box", "rounded,filled,dotted", "op", "op_border"),
    "bad": ("box", "rounded,filled", "bad", "bad_border"),
    "bad_gradient": ("box", "rounded,filled", "bad", "bad_border"),
    "health": ("box", "rounded,filled", "op", "text"),
}
STEPS = (1e-8, 1e-6, 1e-4, 1e-2)  # the limits of the five steps
STEP_NAMES = ("<1e-8", "1e-8", "1e-6", "1e-4", "≥1e-2")


def palette(theme: str) -> dict[str, str]:
    """Return the colours of a theme by what they are for; "auto" is drawn in the light ones."""
    return {role: pair[theme == "dark"] for role, pair in COLOURS.items()}


def step(gradient: Gradient) -> int:
    """Return which of the five steps a gradient is on, 0 where none arrived."""
    low = gradient.low or 0.0
    return sum(low >= limit for limit in STEPS) if low == low else len(STEPS)


def stylesheet() -> str:
    """Return the CSS that turns a light SVG dark where the reader's system is dark."""
    rules = [
        f'.minigrad [{attribute}="{light.lower()}"]{{{attribute}:{dark}}}'
        for light, dark in dict(COLOURS.values()).items()
        for attribute in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def legend(graph: Graph) -> list[tuple[str, str]]:
    """List the kinds that are present: what stands for each, and what it means."""
    items = [item for box in graph.boxes for item in (box, *box.rows)]
    kinds = {"sweep" if item.recorded else item.kind for item in items}
    entries = [
        ("input", "input", "input" in kinds or "constant" in kinds),
        ("op", "operation", "op" in kinds),
        ("sweep", "∂ recorded gradient", "sweep" in kinds),
        ("parameter", "parameter", "parameter" in kinds),
        ("module", "folded module", "module" in kinds),
        ("output", "output", "output" in kinds),
        ("reference", "→ drawn elsewhere", "reference" in kinds),
        ("hidden", "hidden", "hidden" in kinds),
        ("dotted", "no gradient", not all(item.requires_grad for item in items)),
        ("repeat", "next repeat", any(e.repeat for e in graph.edges)),
        ("bad", "first non-finite", any(i.bad and i.bad.origin for i in items)),
        ("bad_gradient", "first non-finite gradient", any(i.bad_gradient for i in items)),
        ("health", "dead or saturated", any(item.health for item in items)),
        ("reached", "reached by it", any(e.bad for e in graph.edges)),
        ("scale", "RMS of the gradient", any(item.gradient for item in items)),
    ]
    return [(kind, text) for kind, text, present in entries if present]
