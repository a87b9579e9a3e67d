"""The record of a run: what was planned, done, measured and decided, in the run's folder.

    <run>/     run.json   history.jsonl   trace/   logs/   report.html
    <matrix>/  matrix.json   cells/<row>/<fault>-<seed>/ (a run folder each)   report.html

`run` and `matrix` are the values, `store` reads and writes them, `folder` names the files. Reports, `recheck` and
comparisons are built on these values and on the history alone; nothing here touches a cluster.
"""
