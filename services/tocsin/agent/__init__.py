"""The agent: who keeps a node's generation table, as a process of the node's own or as a thread of a worker."""
