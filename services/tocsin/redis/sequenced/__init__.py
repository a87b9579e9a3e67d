"""The sequenced protocol in Redis: its scripts, bound to a run of the server, and the sequencer made of them."""
