"""What `import tocsin` brings with it: no framework, so that a worker pays only for what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRAMEWORKS = ("flask", "flask_caching", "werkzeug", "sqlalchemy", "click", "celery", "prometheus_client", "gevent")


@pytest.mark.parametrize("module", ["tocsin", "tocsin.decorators", "tocsin.values", "tocsin.signed_pickle"])
def test_the_library_imports_no_framework(module: str) -> None:
    """Each rim imports its own."""
    program = f"import sys, {module}; print(*sorted(set({FRAMEWORKS!r}) & set(sys.modules)))"
    brought = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert brought == []


def test_the_library_imports_no_pickle_of_its_own_accord() -> None:
    """The codec that unpickles is there only for those who ask for it."""
    program = "import sys, tocsin; print('tocsin.signed_pickle' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert said == "False"
