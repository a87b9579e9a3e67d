"""Planted bugs: defects that real caches have had, each one method away from the right thing. `table` has them all."""
