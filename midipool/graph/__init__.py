"""Who hears whom: nodes, links, groups. Pure; the same on server and client."""
