"""Whether time grows with the size of what is read, and no faster."""

import gc
import time


def grows_linearly(run, size):
    """Return whether `run(10 * size)` takes about ten times the processor time of `run(size)`: quadratic time would be a hundred times."""
    limit = 40 * max(min(_seconds(run, size) for _ in range(3)), 0.005)
    return any(_seconds(run, 10 * size) < limit for _ in range(3))


def _seconds(run, size):
    gc.disable()  # its time grows with all objects of the test process
    try:
        begin = time.thread_time()
        run(size)
        return time.thread_time() - begin
    finally:
        gc.enable()
