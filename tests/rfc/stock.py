"""Stock nginx as a cache, set up as its documentation teaches: what the requirements are contrasted with."""

from __future__ import annotations

from pathlib import Path

from cluster.edge_alone import Origin, Place

CONFIGURATION = """
{user}daemon off;
error_log stderr crit;
pid run/nginx.pid;
events {{}}
http {{
    client_body_temp_path run/client_body;
    proxy_temp_path run/proxy;
    fastcgi_temp_path run/fastcgi;
    uwsgi_temp_path run/uwsgi;
    scgi_temp_path run/scgi;
    access_log off;
    proxy_cache_path run/cache keys_zone=stock:4m;
    server {{
        listen {listen};
        location / {{
            proxy_pass {scheme}://{origin};
            proxy_set_header Host $http_host;
            proxy_http_version 1.1;
            proxy_cache stock;
            proxy_cache_key $scheme$http_host$request_uri;
            proxy_cache_revalidate on;
            proxy_cache_background_update on;
            proxy_cache_use_stale updating error timeout http_500 http_502 http_503 http_504;
        }}
    }}
}}
"""


def write_stock(folder: Path, *, listen: Place, origin: Origin, as_root: bool) -> None:
    """Make `folder` one that `nginx -p folder -c nginx.conf` runs from."""
    (folder / "run").mkdir(parents=True)
    text = CONFIGURATION.format(
        user="user root;\n" if as_root else "", listen=listen, scheme=origin.scheme, origin=origin.place
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
