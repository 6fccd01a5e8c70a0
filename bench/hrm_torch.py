"""One training step of the small maze network in PyTorch, for bench/step.sh to compare with ours.

Written from the formulas of the paper and of docs/results/maze.md: 64 wide, 2 heads, one block a level,
2x2 cycles, 2-D rotary positions, a depthwise 3x3 convolution in the feed-forward, one register, the
gradient of the last update of each level, AdamW, an average of the weights. Prints CPU milliseconds of
a step (median and least of 40) as JSON.

    PYTHON bench/hrm_torch.py [--size 13] [--bf16]
"""
import argparse, json, math, time
import torch
import torch.nn.functional as F

arg = argparse.ArgumentParser()
arg.add_argument("--size", type=int, default=13)
arg.add_argument("--bf16", action="store_true")
arg.add_argument("--batch", type=int, default=32)
opt = arg.parse_args()
torch.set_num_threads(1)
torch.manual_seed(0)

D, H, INNER, BATCH, SIDE = 64, 2, 160, opt.batch, opt.size - 2
HD, N = D // H, SIDE * SIDE + 1


def rope():
    quarter = HD // 4
    freq = 100.0 ** (-torch.arange(quarter) * 4.0 / HD)
    at = torch.arange(SIDE)
    rows, cols = at.repeat_interleave(SIDE), at.repeat(SIDE)
    angle = torch.cat([rows[:, None] * freq, cols[:, None] * freq], 1)
    angle = torch.cat([torch.zeros(1, HD // 2), angle])
    angle = torch.cat([angle, angle], 1)
    return angle.cos(), angle.sin()


COS, SIN = rope()


def turn(x):
    a, b = x.chunk(2, -1)
    return x * COS + torch.cat([-b, a], -1) * SIN


def rms(x):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        lin = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.qkv, self.out, self.up, self.down = lin(D, 3 * D), lin(D, D), lin(D, 2 * INNER), lin(INNER, D)
        self.conv = torch.nn.Conv2d(INNER, INNER, 3, padding=1, groups=INNER, bias=False)

    def forward(self, x):
        q, k, v = self.qkv(x).view(BATCH, N, 3 * H, HD).transpose(1, 2).split(H, 1)
        q, k = turn(q), turn(k)
        if opt.bf16:  # the bf16 kernel of scaled_dot_product_attention is slow backwards on a CPU
            q, k = q.to(v.dtype), k.to(v.dtype)
            a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(HD), -1).to(v.dtype) @ v
        else:
            a = F.scaled_dot_product_attention(q, k, v)
        x = rms(x + self.out(a.transpose(1, 2).reshape(BATCH, N, D)))
        g, u = self.up(x).chunk(2, -1)
        h = F.silu(g) * u
        grid = h[:, 1:].transpose(1, 2).reshape(BATCH, INNER, SIDE, SIDE)
        grid = self.conv(grid).reshape(BATCH, INNER, SIDE * SIDE).transpose(1, 2)
        return rms(x + self.down(torch.cat([h[:, :1], grid], 1)))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = torch.nn.Embedding(6, D)
        self.register = torch.nn.Parameter(torch.randn(1, 1, D) / 8)
        self.h, self.l = Block(), Block()
        self.head, self.q = torch.nn.Linear(D, 4, bias=False), torch.nn.Linear(D, 2)

    def forward(self, zh, zl, tokens):
        e = torch.cat([self.register.expand(BATCH, 1, D), self.tokens(tokens)], 1) * math.sqrt(D)
        for i in range(2):
            for j in range(2):
                with torch.set_grad_enabled(i == 1 and j == 1):
                    zl = self.l(zl + (zh + e))
            with torch.set_grad_enabled(i == 1):
                zh = self.h(zh + zl)
        return zh.detach(), zl.detach(), self.head(zh[:, 1:]).float(), self.q(zh[:, 0]).float()


net = Net()
average = [p.detach().clone() for p in net.parameters()]
adam = torch.optim.AdamW(net.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.1)
zh, zl = torch.randn(BATCH, N, D), torch.randn(BATCH, N, D)
tokens = torch.randint(1, 5, (BATCH, SIDE * SIDE))
wrong = torch.where(torch.rand(BATCH, SIDE * SIDE, 4) < 0.4, 0.0, -1e9)
wrong[..., 0] = 0
right = torch.randint(0, 2, (BATCH,)).float()


def step():
    global zh, zl
    with torch.autocast("cpu", torch.bfloat16, enabled=opt.bf16):
        zh, zl, logits, q = net(zh, zl, tokens)
        zh, zl = zh.float(), zl.float()
    loss = (logits.logsumexp(-1) - (logits + wrong).logsumexp(-1)).mean(1).sum()
    loss = (loss + 0.5 * F.binary_cross_entropy_with_logits(q[:, 0], right, reduction="sum")) / BATCH
    adam.zero_grad(set_to_none=True)
    loss.backward()
    adam.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, list(net.parameters()), 0.001)


for _ in range(5):
    step()
times = []
for _ in range(40):
    begin = time.process_time()
    step()
    times.append(1000 * (time.process_time() - begin))
times.sort()
print(json.dumps({"who": "pytorch " + torch.__version__, "size": opt.size, "bf16": opt.bf16,
                  "cpu_ms_median": round(times[20], 2), "cpu_ms_least": round(times[0], 2)}))
