"""Anybody's application under the examiner: `check --target app.toml`. Nothing of ours runs inside it.

    app.toml ─▶ Adapter ─▶ ForeignShop (requests, versions) ─┐
                        ─▶ ForeignSubject (baseline, rest) ──┼─▶ engine.Examination ─▶ history ─▶ its own contract
                        ─▶ CommandHarm (the user's faults) ──┘

An examiner needs the order of a key's writes. An application that numbers its values says it itself: a JSON pointer
finds the number in its answers. For any other, each key gets one writer at a time, so that the order is the order in
which we wrote; a key whose write had no known end is not written again. Then no search is needed, and no history is too
long to be judged.
"""
