"""A two-level cache for several processes and servers."""
