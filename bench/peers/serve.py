"""One side of a paired benchmark: reads a command a line, answers with a line of JSON each."""
import json
import resource
import sys
import time


def answer(value):
    print(json.dumps(value), flush=True)


def serve(step, **ready):
    """Answers `step` with the time, processor time and loss of a step, and `memory` with the peak."""
    answer({"ready": True, **ready})
    for line in sys.stdin:
        if line.strip() == "memory":
            answer({"peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
            continue
        cpu, start = time.process_time(), time.perf_counter()
        loss = step()
        answer({"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu, "loss": loss})
