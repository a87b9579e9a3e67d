"""Traffic: real requests, sent at the times that a seed has fixed, and what came of each, recorded.

    profile, seed ──▶ arrivals ──▶ Driver ──HTTP──▶ edge, workers
                      (open model)    │  one task a request
                                      └──▶ Recorder (history.jsonl), Tally (live counters)

What always holds: the next request never waits for the answer to the last one, so a slow service meets the same load
as a fast one, and latency counts from when a request *should* have left; an invocation is on file before its request
is sent; every request ends, in time, as `ok`, `fail` or `info`.
"""
