import json
import platform
import subprocess
import sys

import numpy as np

from groundswell.experiments._environment import Environment


def test_it_tells_python_machine_and_what_is_imported():
    found = Environment.now()
    assert found.versions["python"].startswith(platform.python_version())
    assert found.packages["numpy"] == np.__version__
    assert found.n_cpus >= 1
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_what_is_not_imported_is_neither_listed_nor_imported():
    code = (
        "import sys; from groundswell.experiments._environment import Environment;"
        "before = set(sys.modules); found = Environment.now(); sys.modules.pop('sklearn', None);"
        "sys.exit('torch' in found.packages or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
