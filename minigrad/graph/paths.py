"""Which module a node ran in: frames become clusters, and parameters get their dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.autograd import Tensor
from minigrad.autograd.messages import RECORDED
from minigrad.graph.model import Cluster, Ids


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
        self.clusters: dict[str, Cluster] = {}
        self.names: dict[Any, str] = {}  # of the Leaf or Constant of a parameter
        self.tables: dict[Any, dict[Any, str]] = {}  # of a root module: the path of each inside
        self.inside: dict[Any, dict[str, Any]] = {}  # the same the other way round
        self.calls: dict[Any, list[Cluster]] = {}
        self.made: dict[Any, str | None] = {None: None}
        self.between: dict[tuple[str | None, str], str] = {}
        frames = dict.fromkeys(frames)
        frames.pop(None, None)
        if RECORDED in frames:
            del frames[RECORDED]
            cluster = Cluster(self.keys("gradient"), "", "gradient", sort="sweep")
            self.clusters[cluster.id] = cluster
            self.made[RECORDED] = cluster.id
        self.params, self.given = params, _named(params)
        for name, tensor in self.given.items():
            self.names.setdefault(tensor._node, name)
        if hasattr(params, "named_modules"):
            self._table(params)
        roots = self._roots(frames)
        self.dissolved = self._dissolve(roots, params)
        for frame in frames:
            self._cluster(frame)
        for same in self.calls.values():
            for call, cluster in enumerate(same, 1):
                cluster.call, cluster.calls = call, len(same)

    def __getitem__(self, frame: Any) -> str | None:
        return self.made[frame]

    def _table(self, root: Any) -> dict[Any, str]:
        if root not in self.tables:
            self.tables[root] = {module: path for path, module in root.named_modules()}
            given = self.given if root is self.params else dict(root.named_parameters())
            for name, tensor in given.items():
                if tensor._node is not None:
                    self.names.setdefault(tensor._node, name)
        return self.tables[root]

    def _roots(self, frames: Iterable[Any]) -> dict[Any, bool]:
        """Return the outermost frames, and whether other modules ran inside each."""
        roots: dict[Any, bool] = {}
        for frame in frames:
            root = _root(frame)
            roots[root] = roots.get(root, False) or root is not frame
        return roots

    def _dissolve(self, roots: dict[Any, bool], params: Any) -> set[Any]:
        """Choose the frames of the network itself, which needs no cluster around everything."""
        known = [frame for frame in roots if frame.module is params]
        networks = known or [frame for frame, composed in roots.items() if composed]
        return set(networks) if len(networks) == 1 else set()

    def _cluster(self, frame: Any) -> None:
        chain = []
        while frame not in self.made:
            chain.append(frame)
            frame = frame.parent
        if not chain:
            return
        root = _root(frame or chain[-1])
        table = next((t for t in self.tables.values() if root.module in t), None)
        if table is None:
            table = self._table(root.module)
        if root.module not in self.inside:
            self.inside[root.module] = {path: module for module, path in table.items()}
        parent = self.made[frame]
        for at in reversed(chain):
            if at not in self.dissolved:
                path = table.get(at.module, "")
                parent = self._around(parent, path, self.inside[root.module])
                parent = self._make(at.module, path, parent)
            self.made[at] = parent

    def _around(self, parent: str | None, path: str, modules: dict[str, Any]) -> str | None:
        """Make clusters for the modules on a path that did not run themselves."""
        outer = self.clusters[parent].path if parent else ""
        if "." not in path or not path.startswith(f"{outer}." if outer else ""):
            return parent
        steps = path.split(".")
        for n in range(len(outer.split(".")) + 1 if outer else 1, len(steps)):
            prefix = ".".join(steps[:n])
            if prefix in modules:
                key = (parent, prefix)
                if key not in self.between:
                    self.between[key] = self._make(modules[prefix], prefix, parent)
                parent = self.between[key]
        return parent

    def _make(self, module: Any, path: str, parent: str | None) -> str:
        kind = type(module).__name__
        same = self.calls.setdefault(module, [])
        around = self.clusters[parent] if parent else None
        own = ((self.number(p._node or id(p)), p.size) for p in module.parameters())
        made = Cluster(
            key=self.keys(path or kind),
            path=path,
            kind=kind,
            parent=parent,
            level=around.level + 1 if around else 0,
            owned=same[0].owned if same else dict(own),
            outer=around.path if around else "",
        )
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
