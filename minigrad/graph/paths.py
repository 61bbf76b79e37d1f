"""Which module a node ran in: frames become clusters, and parameters get their dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.autograd import Tensor
from minigrad.autograd.messages import RECORDED
from minigrad.graph.model import Frame, Ids

Steps = list[tuple[str, Any]]  # the paths and the modules on the way to a module, itself the last


class Paths:
    """The clusters of a graph, and the names of its parameters.

    Parameters
    ----------
    frames : iterable
        Where the nodes were recorded, oldest first; None for those in no module.
    params : Module, mapping or None
        What gives parameters their names; the modules that ran give the others.
    """

    def __init__(self, frames: Iterable[Any], params: Any):
        self.keys = Ids()
        self.numbers: dict[Any, int] = {}  # of the parameters
        self.clusters: dict[str, Frame] = {}
        self.names: dict[Any, str] = {}  # of the Leaf or Constant of a parameter
        self.tables: list[dict[Any, Steps]] = []  # one for each network
        self.calls: dict[Any, list[Frame]] = {}
        self.made: dict[Any, str | None] = {None: None}  # the cluster of each frame
        frames = dict.fromkeys(frames)
        if RECORDED in frames:
            cluster = Frame(self.keys("gradient"), "", "gradient", sort="sweep")
            self.clusters[cluster.id] = cluster
            self.made[RECORDED] = cluster.id
        self.given = _named(params)
        self._name(self.given)
        if hasattr(params, "named_modules"):
            self._table(params)
        running = [frame for frame in frames if frame not in self.made]
        # The network itself needs no cluster around everything.
        networks = {root for root in map(_root, running) if root.module is params}
        networks = networks or {_root(frame) for frame in running if frame.parent is not None}
        self.dissolved = networks if len(networks) == 1 else set()
        for frame in frames:
            self[frame]
        for same in self.calls.values():
            for call, cluster in enumerate(same, 1):
                cluster.call, cluster.calls = call, len(same)

    def __getitem__(self, frame: Any) -> str | None:
        """Return the id of the cluster of a frame."""
        if frame not in self.made:
            around, kept = self[frame.parent], frame not in self.dissolved
            self.made[frame] = self._inside(around, frame) if kept else around
        return self.made[frame]

    def _name(self, named: Mapping[str, Tensor]) -> None:
        for name, tensor in named.items():
            self.names.setdefault(tensor._node or id(tensor), name)

    def _table(self, root: Any) -> dict[Any, Steps]:
        """Return how each module of a network is reached."""
        for known in self.tables:
            if root in known:
                return known
        modules, table = dict(root.named_modules()), {}
        for path, module in modules.items():
            ends = [n for n, letter in enumerate(f"{path}.") if letter == "."]
            table[module] = [(path[:n], modules[path[:n]]) for n in ends if path[:n] in modules]
        self.tables.append(table)
        self._name(dict(root.named_parameters()))
        return table

    def _inside(self, parent: str | None, frame: Any) -> str | None:
        """Make the cluster of a frame, and of modules on its path that did not run themselves."""
        outer = self.clusters[parent].path if parent else ""
        steps = self._table(_root(frame).module).get(frame.module, [("", frame.module)])
        for path, module in steps[:-1]:
            if path.startswith(f"{outer}." if outer else ""):
                if (parent, path) not in self.made:
                    self.made[parent, path] = self._make(module, path, parent)
                parent = self.made[parent, path]
        return self._make(frame.module, steps[-1][0], parent)

    def _make(self, module: Any, path: str, parent: str | None) -> str:
        kind = type(module).__name__
        same = self.calls.setdefault(module, [])
        around = self.clusters[parent] if parent else None
        own = ((self.number(p._node or id(p)), p.size) for p in module.parameters())
        made = Frame(self.keys(path or kind), path, kind, parent)
        made.level, made.outer = (around.level + 1, around.path) if around else (0, "")
        made.owned = same[0].owned if same else dict(own)
        same.append(made)
        self.clusters[made.id] = made
        return made.id

    def number(self, place: Any) -> int:
        """Return the number of a parameter, given its place in the graph."""
        return self.numbers.setdefault(place, len(self.numbers))

    def short(self, name: str, cluster: str | None) -> str:
        """Return a parameter's name as seen from inside a cluster."""
        path = self.clusters[cluster].path if cluster else ""
        return name.removeprefix(f"{path}.") if path else name

    def home(self, name: str) -> str | None:
        """Return the cluster of the module that holds a parameter."""
        fitting = [c for c in self.clusters.values() if c.path and name.startswith(f"{c.path}.")]
        return max(fitting, key=lambda c: len(c.path)).id if fitting else None


def _root(frame: Any) -> Any:
    while frame.parent is not None:
        frame = frame.parent
    return frame


def _named(params: Any) -> dict[str, Tensor]:
    """Return the parameters that a module or a dict names."""
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        return dict(params.named_parameters())
    if isinstance(params, Mapping) and all(isinstance(t, Tensor) for t in params.values()):
        return {str(name): tensor for name, tensor in params.items()}
    raise TypeError(f"draw: params must be a Module or a dict of Tensors, got {params!r:.60}")
