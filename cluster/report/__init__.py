"""The report: one offline page for a run or a matrix, for somebody who has ten minutes to choose a strategy.

    run.json / matrix.json ─┐
    history.jsonl ──────────┼▶ series, excerpt ▶ cell ─┐
                            └──────────────────────────┴▶ page ▶ report.html      junit ▶ junit.xml

verdict banner → heat map of strategies and faults → cell → witness → the operations around it → history.jsonl. All that
a reader needs is in the one file, plotting library included, so that it can be mailed or kept for years; nothing is
fetched. Its size is bounded: curves are binned, witnesses and excerpts counted, and of a long matrix only the telling
cells are shown whole.

What always holds: a report is made from the stored records and histories alone and touches no cluster; made twice from
the same folder it says the same.
"""
