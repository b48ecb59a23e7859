"""Plain ROC for programs on this network: a member of a room with `roc-send` and `roc-recv`."""
