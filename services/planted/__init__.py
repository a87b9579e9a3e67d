"""What the examiner plants in the services: failpoints, a trace, and defects on purpose. Nothing of it runs by itself.

    catalog ── adaptation_of(environment, secret) ──▶ None, or an Adaptation ──▶ tocsin.connect(…, adapt=…)

`tocsin` knows none of this: it is decorators and small subclasses of its ports, put around them where a cache is
composed. Each is off unless the environment holds a *seal*, which only who knows the cluster's secret can make
(`docs/contract.md` §5), so that no variable of a production machine can switch one on.
"""
