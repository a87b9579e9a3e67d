"""The launcher that needs nothing: real nginx, Redis, gunicorn and Celery as plain detached processes of this user.

    up ─▶ plan (addresses) ─▶ redis ┐
                              links ┤
                              database (init-db, ends)
                              node-1 … node-n        all at once ─▶ until everyone is ready
                              flusher ┤
                              edge    ┘

One file per kind of server: its command line, and how it shows that it answers. `spawn.py` starts a process so that it
can't be lost; `family.py` finds all processes of a run again, whoever started them.
"""
