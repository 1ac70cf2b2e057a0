"""What importing the door costs those who only pass by."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_door_imports_no_mlflow():
    heavy = ["mlflow", "pandas", "sqlalchemy", "requests", "psutil"]
    code = f"import sys, perfdb.tracking; print([m for m in {heavy} if m in sys.modules])"
    #'mlflow', 'pandas', 'sqlalchemy', 'requests', 'psutil'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
