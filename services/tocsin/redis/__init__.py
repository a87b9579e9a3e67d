"""The adapters for Redis: connection, shared level, listener, journal. The core never imports them."""
