"""The Lua scripts, as package data; `tocsin.redis.connection.Script` joins and names them."""
