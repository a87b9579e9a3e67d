"""The compose launcher: the topology of `docker-compose.yml`, driven by the same verbs as plain processes.

run folder ── plan, override ──▶ docker compose ──▶ containers ──▶ status
verb ─────────────────────────▶ docker kill | pause | network disconnect | exec
"""
