"""Knock: a PING of the examiner's own through a link, for paths on which nobody else says anything.

A node without a cache has nothing to say to Redis, so a cut of that path swallows nothing, and its evidence would be
missing although it is in force. Then the probe speaks. What becomes of it is counted by the link like anybody's bytes;
a closed port counts nothing, so that alone is told by the knock itself.
"""

from __future__ import annotations

import socket

from cluster.status import LinkState

KNOCK_S = 1.0
SAID = b"x" * 2048
"""As long as that, so that a link which carries little is late with it."""
ECHO = b"$%d\r\n%s\r\n" % (len(SAID), SAID)
PING = b"*2\r\n$4\r\nPING\r\n" + ECHO


def knock(link: LinkState) -> bool:
    """Say PING through a link and wait for what comes back; whether the port was closed. Never raises."""
    host, _, port = link.listen.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=KNOCK_S) as opened:
            opened.sendall(PING)
            left = len(ECHO)  # all of it: who closes with bytes unread says RST, and the link would count a break
            while left > 0 and (heard := opened.recv(left)):
                left -= len(heard)
    except ConnectionRefusedError:
        return True
    except OSError:  # torn, or nothing came back in time: the link has counted it
        return False
    return False
