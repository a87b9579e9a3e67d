"""CDN: purging at somebody else's edge, by the same agent that keeps nodes and our own edge true.

    log ──▶ Follower ──▶ CdnSink ── tags, each once ──▶ Purger, a thread ── batches ──▶ Cloudflare | Fastly | CloudFront
                             └── state file: what is purged, for the next start

    python -m tocsin agent --node cdn --cdn fastly --state /var/lib/tocsin/fastly      FASTLY_SERVICE=… FASTLY_TOKEN=…

Off unless it is asked for; `--dry-run` says what would be sent, and sends nothing. Answers carry their names for CDNs
to know (`Surrogate-Key`, `Cache-Tag`); CloudFront knows no tags, so its names are turned into paths by a table.

What always holds: a name that was invalidated is purged, or purged again after a failure, or everything is. What is not
promised: a time. A CDN can't be told to distrust itself while nobody speaks to it, so its staleness is bounded by the
lifetime that answers give it, as ever; `strict` does not wait for it.

The clients are tested against a local stub that follows the public documents of the three interfaces, and CloudFront's
against moto: not against the services themselves.
"""
