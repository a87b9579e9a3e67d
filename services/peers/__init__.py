"""Peers: the shop on other people's caches, so that the matrix shows what their users get.

| library | how it is used here | where its values are | invalidated by |
|---|---|---|---|
| `flask-caching-simple` | `@cache.memoize`, SimpleCache | worker | `delete_memoized`, where it was written |
| `flask-caching-redis` | `@cache.memoize`, RedisCache | Redis | `delete_memoized` |
| `cashews` | `@cache(ttl=, key=)`, `client_side=True` | worker and Redis | `cache.delete`, told by Redis |
| `dogpile` | `@region.cache_on_arguments()` | Redis | `.invalidate()` |
| `redis-py-tracking` | `GET`, `SET`, `DEL`, with `CacheConfig()` | worker and Redis | `DEL`, told by Redis |

    gunicorn -c python:catalog.gunicorn_conf peers.wsgi:application       PEERS_LIBRARY=dogpile

Each is one short module, set up as its own documents recommend and as a careful user would: errors of Redis fall back
to the database, time-outs are short, and times to live are those of the catalogue's own strategies. They share the
catalogue's database, its rules of writing and its front; of `tocsin` nothing.
"""
