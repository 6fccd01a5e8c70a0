"""A segment or a training step of our networks in PyTorch, for `ponder bench hrm` to compare with ours.

Written from the formulas: the paper (arXiv:2506.21734), docs/deviations.md, and the comments of packages hrm and
hrm/arch, which say what each tensor is. It computes as people write it in PyTorch: scaled_dot_product_attention,
linear, silu, cross_entropy, autograd.

    PYTHON hrm.py [--threads N] [--precision float32|bf16|tf32] [--device cpu|cuda[:N]] [--seconds S] [--compile]

First it writes a line with its version. Then it reads the name of a folder a line: plan.json says what the network
is and how it learns, weights.safetensors what it holds, case.safetensors what goes in and what must come out. The
answer is a line: milliseconds of eager and of torch.compile, the largest difference from what must come out, the rate
of a product of two 1024x1024 matrices just then, a note.

One rule for all, that of agent/learn/speed: a call that does not count (five on a GPU), then calls until S seconds are
over, two at least; the least time counts, of so many calls together that they take 20 ms, of the processor with one thread, of the clock with more or on a GPU.
"""
import argparse, json, math, os, signal, struct, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer

import torch
import torch.nn.functional as F

TYPES = {"F32": torch.float32, "F64": torch.float64, "BF16": torch.bfloat16, "F16": torch.float16, "I64": torch.int64, "I32": torch.int32}
NO_SYMBOL = -100.0  # logit of answers that are no symbol
FLOOR = 0.01  # probability below which a symbol counts as excluded


class Unknown(Exception):
    """What this script does not compute."""


def read(path):
    """The tensors of a safetensors file, on the default device: a length, a JSON header with offsets, the data."""
    data = bytearray(open(path, "rb").read())
    (n,) = struct.unpack_from("<Q", data)
    out = {}
    for name, t in json.loads(data[8 : 8 + n]).items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            x = torch.empty(0)
            if end > begin:
                with torch.device("cpu"):
                    x = torch.frombuffer(data, dtype=TYPES[t["dtype"]], offset=8 + n + begin, count=math.prod(t["shape"])).clone()
            out[name] = x.to(torch.get_default_device()).reshape(t["shape"])
    return out


def least(opt, f, seconds=None):
    """Milliseconds of f, by the rule above."""
    seconds = seconds or opt.seconds
    gpu = opt.device != "cpu"
    clock = time.process_time if opt.threads == 1 and not gpu else time.perf_counter
    wait = torch.cuda.synchronize if gpu else lambda: None
    for _ in range(5 if gpu else 1):
        begin = time.perf_counter()
        f()
        wait()
        calls = 1 + int(0.02 / (time.perf_counter() - begin + 1e-9))
    times, begin = [], time.perf_counter()
    while len(times) < 2 or time.perf_counter() - begin < seconds:
        at = clock()
        for _ in range(calls):
            f()
            wait()
        times.append((clock() - at) / calls)
    return 1000 * min(times)


class Net:
    """The network of a plan over its weights."""

    def __init__(self, plan, weights, dtype):
        self.c, self.w, self.dtype = plan["config"], weights, dtype
        c = self.c
        self.grouped = c["mixing"] == "groups"
        if c["mixing"] not in ("attention", "static", "mlp", "groups") or c["bias"] or (self.grouped and c.get("settled")):
            raise Unknown("mixing %s, bias %r, settled %r" % (c["mixing"], c["bias"], c.get("settled")))
        self.prefix = c["registers"] + c["puzzle_positions"]
        self.n = self.prefix + c["seq"]
        self.gradient = (plan.get("training") or {}).get("gradient") or "last-pass"
        self.order = list(self.updates())
        if c["mixing"] == "attention" and c["positions"] in ("rope", "rope-2d"):
            self.cos, self.sin = (x.to(dtype) for x in self.rotation())
        else:
            self.cos = None
        if c["grid_embed"]:
            at = torch.arange(c["seq"])
            self.row, self.col = at // c["cols"], at % c["cols"]
            names = {}
            self.region = torch.tensor([names.setdefault(x, len(names)) for line in c.get("regions") or [] for x in line])
        if self.grouped:
            self.members = [self.incidence(plan["groups"].get(kind) or []) for kind in c["kinds"]]

    def weight(self, name):
        return self.w["inner." + name]

    def linear(self, x, name, bias=None):
        w = self.weight(name)
        return F.linear(x, w.to(x.dtype), None if bias is None else self.weight(bias).to(x.dtype))

    def rotation(self):
        """cos and sin [n, head width] of the rotary positions."""
        c = self.c
        width = c["hidden"] // c["heads"]
        t = torch.arange(self.n, dtype=torch.float32)
        if c["positions"] == "rope":
            angle = t[:, None] * c["rope_theta"] ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
        else:  # half of the pairs turns by row, half by column; what stands before the grid does not turn
            freq = c["rope_theta"] ** (-4.0 * torch.arange(width // 4) / width)
            cell = torch.arange(c["seq"])
            angle = torch.cat([(cell // c["cols"])[:, None] * freq, (cell % c["cols"])[:, None] * freq], 1)
            angle = torch.cat([torch.zeros(self.prefix, width // 2), angle])
        angle = torch.cat([angle, angle], 1)
        return angle.cos(), angle.sin()

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos + torch.cat([-b, a], -1) * self.sin

    def rms(self, x):
        y = x.float()
        return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.c["norm_eps"])).to(x.dtype)

    def swiglu(self, x, up, down):
        g, u = self.linear(x, up).chunk(2, -1)
        return self.linear(F.silu(g) * u, down)

    def mixed(self, x, at):
        """What a block gathers for each position: [batch, n, hidden]."""
        c = self.c
        batch, heads, width = x.shape[0], c["heads"], c["hidden"] // c["heads"]
        if c["mixing"] == "static":
            v = self.linear(x, at + "self_attn.v_proj.weight").view(batch, self.n, heads, width)
            v = torch.einsum("hij,bjhd->bihd", self.weight(at + "self_attn.mix").to(x.dtype), v)
            return self.linear(v.reshape(batch, self.n, -1), at + "self_attn.o_proj.weight")
        qkv = self.linear(x, at + "self_attn.qkv_proj.weight").view(batch, self.n, 3 * heads, width).transpose(1, 2)
        q, k, v = qkv.split(heads, 1)
        if self.cos is not None:
            q, k = self.rotate(q), self.rotate(k)
        if x.dtype == torch.bfloat16 and torch.is_grad_enabled() and x.device.type == "cpu":  # the fused one is slow backwards on a CPU
            y = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width), -1) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v)
        y = y.transpose(1, 2).reshape(batch, self.n, -1)
        return self.linear(y, at + "self_attn.o_proj.weight")

    def block(self, x, at, mixing):
        c = self.c
        if mixing == "mlp":
            y = x.transpose(1, 2)
            x = self.rms(y + self.swiglu(y, at + "mlp_t.gate_up_proj.weight", at + "mlp_t.down_proj.weight")).transpose(1, 2)
        elif mixing != "local":
            x = self.rms(x + self.mixed(x, at))
        if not c["conv"]:
            return self.rms(x + self.swiglu(x, at + "mlp.gate_up_proj.weight", at + "mlp.down_proj.weight"))
        g, u = self.linear(x, at + "mlp.gate_up_proj.weight").chunk(2, -1)
        h = F.silu(g) * u
        kernel = self.weight(at + "mlp.conv.weight").to(h.dtype)  # [9, inner]
        batch, inner = h.shape[0], kernel.shape[1]
        grid = h[:, self.prefix :].transpose(1, 2).reshape(batch, inner, c["rows"], c["cols"])
        grid = F.conv2d(grid, kernel.t().reshape(inner, 1, 3, 3), padding=1, groups=inner)
        h = torch.cat([h[:, : self.prefix], grid.flatten(2).transpose(1, 2)], 1)
        return self.rms(x + self.linear(h, at + "mlp.down_proj.weight"))

    def embed(self, tokens, puzzles):
        c = self.c
        e, scale = F.embedding(tokens, self.weight("embed_tokens.embedding_weight")), 1.0
        if c["grid_embed"]:
            parts = [(self.row, "row"), (self.col, "col")] + ([(self.region, "box")] if len(self.region) else [])
            for ids, name in parts:
                e = e + F.embedding(ids, self.weight("embed_%s.embedding_weight" % name))
            e = e / math.sqrt(1 + len(parts))
        if puzzles is not None:
            puzzles = F.pad(puzzles, (0, c["puzzle_positions"] * c["hidden"] - c["puzzle_dim"]))
            e = torch.cat([puzzles.view(len(tokens), c["puzzle_positions"], c["hidden"]), e], 1)
        if c["registers"]:
            e = torch.cat([self.weight("registers").expand(len(tokens), -1, -1), e], 1)
        if c["positions"] == "learned":
            e = math.sqrt(0.5) * (e + self.weight("embed_pos.embedding_weight"))
        return (math.sqrt(c["hidden"]) * e).to(self.dtype)

    def start(self, batch):
        c = self.c
        places = c["seq"] * (self.symbols() if self.grouped else 1) + self.prefix
        return tuple(self.weight(l["name"] + "_init").to(self.dtype).expand(batch, places, -1).contiguous() for l in c["levels"])

    def updates(self, level=0, record=True):
        """The updates of a segment in their order, (level, whether it records gradients): of two neighbours the
        later is updated cycles times, then the earlier once."""
        levels = self.c["levels"]
        for k in range(levels[level]["cycles"]):
            last = record and (k == levels[level]["cycles"] - 1 or (self.gradient == "last-cycle" and level > 0))
            if level + 1 < len(levels):
                yield from self.updates(level + 1, last)
            yield level, last

    def stack(self, level):
        levels = self.c["levels"]
        own = levels[-1] if self.c["shared"] else levels[level]
        return ["%s_level.layers.%d." % (own["name"], i) for i in range(own["layers"])]

    def segment(self, z, tokens, puzzles=None):
        """New states, logits, q_halt, q_continue."""
        z, recording = list(z), torch.is_grad_enabled()
        scene = self.look(tokens) if self.grouped else None
        e = self.embed_groups(z[0], scene) if self.grouped else self.embed(tokens, puzzles)
        for level, record in self.order:
            with torch.set_grad_enabled(recording and record):
                x = z[level] + (z[level + 1] if level + 1 < len(z) else e)
                if level > 0:
                    x = x + z[level - 1]
                for at in self.stack(level):
                    x = self.group_block(x, at) if self.grouped else self.block(x, at, self.c["levels"][level].get("mixing") or self.c["mixing"])
                z[level] = x
        if self.grouped:
            logits, q = self.answer_groups(z[0], scene)
        else:
            logits = self.linear(z[0][:, self.prefix :], "lm_head.weight")
            q = self.linear(z[0][:, 0], "q_head.weight", "q_head.bias")
        q = q.float()
        return tuple(x.detach() for x in z), logits, q[:, 0], q[:, 1]

    # Mixing by groups: a vector for every pair of a symbol and a cell, symbol by symbol; all in float32.

    def symbols(self):
        return self.c.get("symbols") or math.isqrt(self.c["seq"])

    def incidence(self, groups):
        m = torch.zeros(len(groups), self.c["seq"])
        for g, cells in enumerate(groups):
            for cell in cells:
                m[g, cell] += 1
        return m

    def look(self, tokens):
        """The row of the marks that each (symbol, cell) adds: of an open cell its token's, of a given one "this
        symbol is given" or "another is"."""
        marks = self.c["vocab"] - self.symbols()
        given = (tokens - marks)[:, None]  # [batch, 1, cells]
        other = (given != torch.arange(self.symbols())[:, None]).long()
        return torch.where(given < 0, tokens[:, None], marks + other).flatten(1)

    def embed_groups(self, z, scene):
        e = F.embedding(scene, self.weight("embed_tokens.embedding_weight"))
        if self.c.get("feedback"):
            with torch.no_grad():
                p = self.linear(z, "lm_head.weight").view(len(z), self.symbols(), -1).softmax(1).view(len(z), -1, 1)
                p = torch.cat([p, (p < FLOOR).to(p.dtype)], 2)
            e = e + p @ self.weight("embed_feedback.embedding_weight")
        return e

    def group_block(self, x, at):
        batch, shape = len(x), (len(x), self.symbols(), self.c["seq"], -1)
        m = F.silu(self.linear(x, at + "groups.message_proj.weight")).view(shape) / 3
        u = self.linear(x, at + "groups.self_proj.weight").view(shape)
        for kind, rows in zip(self.c["kinds"], self.members):
            if len(rows):
                u = u + rows.t() @ self.linear(rows @ m, at + "groups.%s_proj.weight" % kind)
        u = u + self.linear(m.sum(1, keepdim=True), at + "groups.cell_proj.weight")
        g, u = (u / math.sqrt(1 + len(self.c["kinds"]))).chunk(2, -1)
        return self.rms(x + self.linear(F.silu(g) * u, at + "mlp.down_proj.weight").view(batch, -1, self.c["hidden"]))

    def answer_groups(self, z, scene):
        marks = self.c["vocab"] - self.symbols()
        x = self.linear(z, "lm_head.weight").view(len(z), self.symbols(), -1).transpose(1, 2)
        logits = torch.cat([torch.full((*x.shape[:2], marks), NO_SYMBOL), x], 2)
        return logits, self.linear(z.mean(1), "q_head.weight", "q_head.bias")


def answer_loss(kind, logits, labels, ignore):
    """The sum over rows of the mean loss of each row's scored cells."""
    scored = labels != ignore
    weight = scored / scored.sum(1, keepdim=True).clamp(min=1)
    label = labels.masked_fill(~scored, 0)
    logits = logits.float()
    if kind == "softmax":
        loss = F.cross_entropy(logits.flatten(0, 1), label.flatten(), reduction="none").view_as(label)
    elif kind == "any-of":  # labels are sets of right classes
        right = (label[..., None] >> torch.arange(logits.shape[-1])) & 1 > 0
        loss = logits.logsumexp(-1) - logits.masked_fill(~right & scored[..., None], -1e9).logsumexp(-1)
    else:  # stablemax, in float64
        x = logits.double()
        s = torch.where(x < 0, 1 / (1 - x + 1e-30), x + 1)
        loss = -(s.gather(-1, label[..., None])[..., 0] / s.sum(-1)).log()
        weight = weight.double()
    return (loss * weight).sum()


class Learner:
    """Training steps of a network: forward, losses, backward, optimiser, average."""

    def __init__(self, net, plan, case, batch):
        self.net, self.t, self.case, self.batch = net, plan["training"], case, batch
        fixed = [k for k in net.w if k.endswith("_init") or k == "inner.puzzle_emb.weights"]
        self.params = {k: w.requires_grad_() for k, w in net.w.items() if k not in fixed}
        self.average = [p.detach().clone() for p in self.params.values()]
        self.table = net.w.get("inner.puzzle_emb.weights")
        self.forward, self.z, self.steps = net.segment, net.start(batch), 0
        self.halted = torch.zeros(batch, 1, 1, dtype=torch.bool)
        a = self.t["adam"]
        self.betas, self.decay = (a["beta1"] or 0.9, a["beta2"] or 0.95), a["weight_decay"]
        self.adamw = None
        if a["rule"] == "adamw":
            self.adamw = torch.optim.AdamW(self.params.values(), lr=self.t["lr"], betas=self.betas, eps=a["eps"] or 1e-8, weight_decay=self.decay, fused=True)
        else:
            self.m = [torch.zeros_like(p) for p in self.average]
            self.v = [torch.zeros_like(p) for p in self.average]

    def gradients(self):
        """The way there and back: logits, q_halt, q_continue; gradients are in the parameters."""
        for p in self.params.values():
            p.grad = None
        case, puzzles = self.case, None
        if self.table is not None:
            puzzles = self.table[case["ids"]].requires_grad_()
        with torch.no_grad():
            self.z = tuple(torch.where(self.halted, s, z) for s, z in zip(self.net.start(self.batch), self.z))
        self.z, logits, halt, cont = self.forward(self.z, case["tokens"], puzzles)
        loss = answer_loss(self.t["loss"], logits, case["labels"], self.t["ignore"])
        loss = loss + 0.5 * F.binary_cross_entropy_with_logits(halt, case["exact"], reduction="sum")
        if self.t["target"]:
            with torch.no_grad():
                _, _, h, c = self.forward(self.z, case["tokens"], puzzles)
                target = torch.maximum(h, c).sigmoid()
            loss = loss + 0.5 * F.binary_cross_entropy_with_logits(cont, target, reduction="sum")
        (loss / self.batch).backward()
        self.puzzles = puzzles
        return logits, halt, cont

    @torch.no_grad()
    def apply(self):
        t, params = self.t, list(self.params.values())
        self.steps += 1
        if self.puzzles is not None:  # SignSGD of the rows that occurred
            rows, where = self.case["ids"].unique(return_inverse=True)
            g = torch.zeros(len(rows), self.table.shape[1]).index_add_(0, where, self.puzzles.grad)
            lr = t["table_lr"] or t["lr"]
            self.table[rows] = self.table[rows] * (1 - lr * t["table_decay"]) - lr * g.sign()
        if self.adamw:
            self.adamw.step()
        else:  # Adam-atan2 (arXiv:2407.05872)
            b1, b2 = self.betas
            grads = [p.grad for p in params]
            torch._foreach_mul_(params, 1 - t["lr"] * self.decay)
            torch._foreach_lerp_(self.m, grads, 1 - b1)
            torch._foreach_mul_(self.v, b2)
            torch._foreach_addcmul_(self.v, grads, grads, 1 - b2)
            root = torch._foreach_sqrt(self.v)
            torch._foreach_div_(root, math.sqrt(1 - b2**self.steps))
            for p, m, r in zip(params, self.m, root):
                p.add_(torch.atan2(m, r), alpha=-t["lr"] / (1 - b1**self.steps))
        if t["ema"]:
            torch._foreach_lerp_(self.average, params, 1 - t["ema"])

    def step(self):
        self.gradients()
        self.apply()


def measure(folder, opt, dtype):
    plan = json.load(open(os.path.join(folder, "plan.json")))
    weights, case = (read(os.path.join(folder, f + ".safetensors")) for f in ("weights", "case"))
    batch, out = len(case["tokens"]), {}

    def differs(got):
        return max((got[k].float() - case[k].float()).abs().max().item() for k in got)

    if plan.get("training"):
        learner = Learner(Net(plan, weights, dtype), plan, case, batch)
        got = dict(zip(("logits", "q_halt", "q_continue"), (x.detach() for x in learner.gradients())))
        got.update({"gradient." + k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in learner.params.items()})
        out["max_abs_diff"] = differs(got)
        out["eager_ms"] = least(opt, learner.step)
        if opt.compile:
            learner.forward = torch.compile(learner.net.segment)
            out.update(compiled(opt, learner.step))
        return out
    # Weights in the type in which they are multiplied, once.
    cast = dtype if plan["config"]["mixing"] != "groups" else torch.float32
    net = Net(plan, {k: w if "embed" in k or "puzzle" in k else w.to(cast) for k, w in weights.items()}, cast)
    with torch.inference_mode():
        puzzles = net.w["inner.puzzle_emb.weights"][case["ids"]] if plan["config"]["puzzle_dim"] else None
        z = net.start(batch)
        _, *got = net.segment(z, case["tokens"], puzzles)
        out["max_abs_diff"] = differs(dict(zip(("logits", "q_halt", "q_continue"), got)))
        out["eager_ms"] = least(opt, lambda: net.segment(z, case["tokens"], puzzles))
    if opt.compile:
        with torch.no_grad():
            fast, z = torch.compile(net.segment, mode="reduce-overhead" if opt.device != "cpu" else "default"), net.start(batch)
            puzzles = None if puzzles is None else puzzles.clone()  # no tensor of inference mode
            out.update(compiled(opt, lambda: fast(z, case["tokens"], puzzles)))
    return out


def product_rate(opt, dtype):
    """1e9 operations a second of a product of two matrices, for an eighth of a case's time."""
    n = 1024 if opt.device == "cpu" else 4096
    x = torch.rand(n, n).to(dtype)
    return 2 * n**3 / least(opt, lambda: x @ x, opt.seconds / 8) / 1e6


def compiled(opt, f):
    try:
        return {"compiled_ms": least(opt, f)}
    except Exception as e:  # as many as compilers have
        return {"note": "torch.compile: " + (str(e).strip().splitlines() or [type(e).__name__])[0]}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--precision", choices=("float32", "bf16", "tf32"), default="float32")
    p.add_argument("--device", default="cpu")
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--compile", action="store_true")
    opt = p.parse_args()
    torch.set_num_threads(opt.threads)
    dtype = torch.bfloat16 if opt.precision == "bf16" else torch.float32
    torch.set_default_device(opt.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = opt.precision == "tf32"

    def say(answer):
        print(json.dumps(answer), file=ANSWERS, flush=True)

    say({"torch": torch.__version__})
    for line in sys.stdin:
        try:
            say({**measure(line.strip(), opt, dtype), "product_gflops": product_rate(opt, dtype)})
        except Unknown as e:
            say({"note": "PyTorch's side does not compute %s" % e})


if __name__ == "__main__":
    main()
