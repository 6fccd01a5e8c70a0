"""Records what two GRUCells of PyTorch make of N low steps for each high step, for TestCellRecorded.

    pip install torch safetensors
    python cell.py cell.safetensors
"""
import sys
import torch
from safetensors.torch import save_file

torch.manual_seed(7)
INPUT, LOW, HIGH, STEPS, BATCH, SEGMENTS = 6, 10, 8, 4, 3, 3
low, high = torch.nn.GRUCell(INPUT + HIGH, LOW), torch.nn.GRUCell(LOW, HIGH)
x = torch.randn(BATCH, INPUT)
h_low, h_high = torch.zeros(BATCH, LOW), torch.zeros(BATCH, HIGH)
out = {"x": x}
for k in range(SEGMENTS):
    joined = torch.cat([x, h_high], 1)
    for _ in range(STEPS):
        h_low = low(joined, h_low)
    h_high = high(h_low, h_high)
    out[f"low.{k}"], out[f"high.{k}"] = h_low.detach().clone(), h_high.detach().clone()
h_high.sum().backward()
for name, cell in (("low", low), ("high", high)):
    for part, p in cell.named_parameters():
        out[f"param.{name}.{part}"], out[f"grad.{name}.{part}"] = p.detach().clone(), p.grad.clone()
save_file(out, sys.argv[1], metadata={"torch": torch.__version__})
