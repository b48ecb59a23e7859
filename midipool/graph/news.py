"""What is different between two graphs, as members are told. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from midipool.graph.graph import Graph
from midipool.messages import GraphNews, GraphNode, Group, LinkRule, RoomGraph


def whole(graph: Graph, hand: bool = False) -> RoomGraph:
    """All of it."""
    kept = graph.kept()
    nodes = [_node(graph, name) for name in graph.nodes]
    return RoomGraph(graph.revision, nodes, list(kept.groups), list(kept.rules), hand)


def graph_of(message: RoomGraph) -> Graph:
    """The graph that is told of."""
    return Graph(
        message.revision,
        {node.name: node.kind for node in message.nodes},
        {group.name: group.members for group in message.groups},
        tuple(message.rules),
        _owners(message.nodes),
    )


def news_of(before: Graph, after: Graph) -> GraphNews:
    """What those who know `before` are to be told."""
    nodes = [_node(after, name) for name in after.nodes if _is_other(before, after, name)]
    groups = [Group(n, m) for n, m in after.groups.items() if before.groups.get(n) != m]
    groups += [Group(name, ()) for name in before.groups if name not in after.groups]
    dropped, rules = _difference(before.rules, after.rules)
    gone = [name for name in before.nodes if name not in after.nodes]
    return GraphNews(after.revision, nodes, gone, groups, dropped, rules)


def heard(graph: Graph, news: GraphNews) -> Graph:
    """The graph after the news."""
    nodes = {name: kind for name, kind in graph.nodes.items() if name not in news.gone}
    groups = {**graph.groups, **{group.name: group.members for group in news.groups}}
    dropped = set(news.dropped)
    kept = [rule for place, rule in enumerate(graph.rules) if place not in dropped]
    return replace(
        graph,
        revision=news.revision,
        nodes=nodes | {node.name: node.kind for node in news.nodes},
        groups={name: members for name, members in groups.items() if members},
        rules=(*kept, *news.rules),
        owners={n: of for n, of in graph.owners.items() if n in nodes} | _owners(news.nodes),
    )


def _node(graph: Graph, name: str) -> GraphNode:
    return GraphNode(name, graph.nodes[name], graph.owners.get(name))


def _owners(nodes: Iterable[GraphNode]) -> dict[str, str]:
    return {node.name: node.of for node in nodes if node.of is not None}


def _is_other(before: Graph, after: Graph, name: str) -> bool:
    kinds = before.nodes.get(name), after.nodes[name]
    return kinds[0] != kinds[1] or before.owners.get(name) != after.owners.get(name)


def _difference(
    before: Sequence[LinkRule], after: Sequence[LinkRule]
) -> tuple[list[int], list[LinkRule]]:
    """(places of what is dropped, what comes behind the rest)."""
    kept, dropped = 0, []
    for place, rule in enumerate(before):
        if kept < len(after) and rule == after[kept]:
            kept += 1
        else:
            dropped.append(place)
    return dropped, list(after[kept:])
