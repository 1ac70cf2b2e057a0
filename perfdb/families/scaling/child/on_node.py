"""What runs on a node, as a task of Parsl. This file's text is sent there. Standard library alone, Python >= 3.8 on Linux."""


def clients(packed, plan, key, first, count):
    """Run the clients `first`, `first` + 1, … of a plan (its JSON) here; returns exit code, answers, and last words.

    The plan has a `begin_at`, by the clocks of the nodes.
    """
    import base64
    import io
    import os
    import subprocess
    import sys
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
            archive.extractall(folder)  # our own files
        done = subprocess.run(
            [sys.executable, os.path.join(folder, "program.py"), str(first), str(count)],
            env=dict(os.environ, PERFDB_LOAD_PLAN=plan, PERFDB_HOST_KEY=key),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.returncode, done.stdout, done.stderr[-2000:]
