"""The CPU time of a whole call on 8 elements from Python, to compare with BenchmarkAdd of package torch.

    PYTHON bench/ops.py
"""
import json, time, timeit
import torch

torch.set_num_threads(1)
with torch.no_grad():
    x = torch.zeros(8)
    best = min(timeit.repeat(lambda: x + x, number=20000, repeat=7, timer=time.process_time)) / 20000
    r = torch.zeros(1, 8)
    rms = lambda: (z := r + r) * torch.rsqrt((z * z).mean(-1, keepdim=True) + 1e-5)
    norm = min(timeit.repeat(rms, number=5000, repeat=7, timer=time.process_time)) / 5000
print(json.dumps({"who": "pytorch " + torch.__version__, "add_us": round(1e6 * best, 2), "rms_add_us": round(1e6 * norm, 2)}))
