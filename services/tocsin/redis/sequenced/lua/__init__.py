"""The scripts of the sequenced protocol, one file each; `tocsin.redis.sequenced.script` puts them together."""
