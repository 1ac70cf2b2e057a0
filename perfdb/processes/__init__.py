"""Child processes, from start to a certain end.

A measurement runs below a small supervisor of its own, so that it ends, workers and all, whatever becomes of us:

    perfdb  ──stdin: the job, then silence──>  supervisor  ──>  child (parsl-perf, a probe)  ──>  workers
            <──stdout: one event a line──────      │
                                                   └──> the child's log, in the journal

The supervisor masks secrets before anything is written, adopts what the child leaves behind, and ends all of it when
the child ends, when time is up, when it is told to, or when perfdb is gone.
"""
