"""Which things hang together, when links tell it two at a time."""

from collections.abc import Iterable
from typing import TypeVar

Node = TypeVar("Node", int, str, tuple[int, str])


def name_components(links: Iterable[tuple[Node, Node]]) -> dict[Node, Node]:
    """Name each node after the smallest one that it is linked to, directly or over others.

    Args:
        links: pairs of nodes; (a, a) makes a known without linking it.
    """
    parent: dict[Node, Node] = {}

    def root_of(node: Node) -> Node:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in links:
        low, high = sorted((root_of(left), root_of(right)))
        parent[high] = low
    return {node: root_of(node) for node in list(parent)}
