"""Outbox: the table of committed writes that must still be made known, as the agents read it.

    tocsin.relay ── Outbox ──▶ table.py ── one DB-API connection ──▶ sqlite.py │ postgresql.py │ mariadb.py

An agent must stay small, so nothing here imports SQLAlchemy, and a driver is imported only when its database is used.
"""
