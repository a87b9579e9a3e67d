"""Scenarios: what a run is to be, as a frozen value; from a TOML file, or from the options of a command line.

    scenario.toml ─┐
    options ───────┴▶ Scenario ──▶ engine      what it can't be is refused here, by name, before anything is started

A run is given by its scenario and seed: who asks for what and when, which servers suffer, and for how long, follow from
them. What a cluster does with it is its own affair.
"""
