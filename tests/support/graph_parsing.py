"""Reading a picture back: DOT by pydot or by Graphviz itself, and a log of what was recorded."""

import contextlib
import json
import re
import subprocess
import warnings
from dataclasses import dataclass, field
from xml.etree import ElementTree

import numpy as np
import pydot
import pytest

from minigrad.autograd import local
from minigrad.graph import backends

needs_graphviz = pytest.mark.skipif(not backends.command("svg"), reason="needs Graphviz")


@dataclass
class Picture:
    """What a picture says: edges as (tail, head, argument), rows as (parameter, operation)."""

    nodes: dict = field(default_factory=dict)
    edges: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    clusters: dict = field(default_factory=dict)  # the parent of each cluster
    homes: dict = field(default_factory=dict)  # the cluster of each node
    bold: list = field(default_factory=list)

    def edge(self, tail, head, look):
        argument = int(re.search(r"argument(-?\d+)", look)[1])
        self.edges.append((tail, head, argument))
        if "nonfinite" in look:
            self.bold.append((tail, head, argument))

    def ports(self, name, label):
        if label.startswith("<TABLE"):
            cells = ElementTree.fromstring(label).iter("TD")
            self.rows += [(cell.get("PORT"), name) for cell in cells if cell.get("PORT")]


def by_pydot(source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pydot calls old names of pyparsing
        (graph,) = pydot.graph_from_dot_data(source)
    picture = Picture()
    pending = [(graph, None)]
    while pending:
        part, cluster = pending.pop()
        for node in part.get_nodes():
            name = node.get_name()
            if name in ("node", "edge", "graph") or name.startswith("legend"):
                continue
            picture.nodes[name] = {k: unquoted(v) for k, v in node.get_attributes().items()}
            picture.homes[name] = cluster
            picture.ports(name, picture.nodes[name]["label"])
        for edge in part.get_edges():
            if str(edge.get_source()).startswith("legend"):
                continue
            picture.edge(edge.get_source(), edge.get_destination(), unquoted(edge.get("class")))
        for inner in part.get_subgraphs():
            if inner.get_name() == "cluster_legend":
                continue
            picture.clusters[inner.get_name()] = cluster
            pending.append((inner, inner.get_name()))
    return picture


def unquoted(text):
    if text[:1] == "<":
        return text[1:-1]
    return text[1:-1].replace('\\"', '"') if text[:1] == '"' else text


def by_graphviz(source):
    done = subprocess.run(backends.command("dot_json"), input=source.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    objects = read.get("objects", [])
    names = {o["_gvid"]: o["name"] for o in objects}
    picture = Picture()
    inside = {}
    objects = [o for o in objects if "legend" not in o.get("class", "") and "_gvid" in o]
    objects = [o for o in objects if o["name"].startswith("cluster") or "label" in o]
    for group in [o for o in objects if o["name"].startswith("cluster")]:
        for member in group.get("nodes", ()):
            inside.setdefault(names[member], []).append(group)
        picture.clusters.setdefault(group["name"], None)
        for child in group.get("subgraphs", ()):
            picture.clusters[names[child]] = group["name"]
    for o in objects:
        if not o["name"].startswith("cluster"):
            picture.nodes[o["name"]] = o
            groups = sorted(inside.get(o["name"], []), key=lambda g: len(g.get("nodes", ())))
            depth = {g["name"]: level(picture.clusters, g["name"]) for g in groups}
            picture.homes[o["name"]] = max(depth, key=depth.get, default=None)
            picture.ports(o["name"], o["label"])
    for e in read.get("edges", ()):
        if names[e["tail"]].startswith("legend"):
            continue
        picture.edge(names[e["tail"]], names[e["head"]], e["class"])
    return picture


READERS = [by_pydot, pytest.param(by_graphviz, marks=needs_graphviz)]


def level(parents, name):
    depth = 0
    while name is not None:
        name, depth = parents.get(name), depth + 1
    return depth


class Log:
    """Note every recorded call by the identity of its arrays: nothing is asked of the graph."""

    def __init__(self, **inputs):
        self.producer = {id(t._array): name for name, t in inputs.items()}
        self.kept = [t._array for t in inputs.values()]
        self.calls = []  # (function, arguments, result)

    def check_result(self, entry, arrays, y):
        self.calls.append((entry, list(arrays), y))
        self.kept += [*arrays, y]
        self.pending = (id(y), len(self.calls))

    def watch(self, node):
        key, number = self.pending
        self.producer[key] = number

    def check_gradient(self, *_):
        pass

    def unwatch(self, _):
        pass

    @contextlib.contextmanager
    def __call__(self):
        mode = local.mode
        mode.debug = self
        try:
            yield self
        finally:
            mode.debug = None

    def edges(self, *outputs):
        """Return (producer, consumer, argument) behind `outputs`, calls renumbered from 1."""
        wanted, pending = set(), [self.producer[id(t._array)] for t in outputs]
        while pending:
            at = pending.pop()
            if isinstance(at, int) and at not in wanted:
                wanted.add(at)
                arguments = self.calls[at - 1][1]
                pending += [p for a in arguments if (p := self.producer.get(id(a))) is not None]
        number = {call: i for i, call in enumerate(sorted(wanted), 1)}
        self.number = number
        found = []
        for call in sorted(wanted):
            _entry, arguments, _ = self.calls[call - 1]
            for i, array in enumerate(arguments):
                producer = self.producer.get(id(array))
                if producer is None and isinstance(array, np.ndarray):
                    found.append(("constant", f"op{number[call]}", i))
                elif producer is not None:
                    tail = f"op{number[producer]}" if isinstance(producer, int) else producer
                    found.append((tail, f"op{number[call]}", i))
        return found
