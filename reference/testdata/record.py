"""Records cases of HRM and TRM, and a checkpoint, for packages reference and verify, from formulas written
out here in PyTorch's words.

The formulas are those of the papers (arXiv:2506.21734, arXiv:2510.04871) where they say, and of the
published programs' behaviour where they are silent; nothing is taken from their code. Limits and keys are
those that verify knows; weights are drawn, and no case is a near tie.

    pip install torch safetensors
    python record.py .
"""
import json
import math
import os
import sys
from collections import OrderedDict

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

IGNORE = -100


def trunc_normal(gen, std, *shape):
    """A normal cut at two standard deviations, widened so that the cut one has deviation std."""
    c = 1.1368472343385565 * std
    u = torch.empty(shape).uniform_(-math.erf(math.sqrt(2)), math.erf(math.sqrt(2)), generator=gen)
    return (math.sqrt(2) * c * torch.erfinv(u)).clamp(-2 * c, 2 * c)


def width(cfg, d):
    return (round(cfg["expansion"] * d * 2 / 3) + 255) // 256 * 256


class Net:
    """Weights under the published names, and one call of the inner network."""

    def __init__(self, cfg, gen, trm):
        self.cfg, self.trm, self.seen = cfg, trm, {}
        self.dtype = torch.float32  # of activations; weights are cast at each use
        d, v, e = cfg["hidden_size"], cfg["vocab_size"], cfg["puzzle_emb_ndim"]
        self.prefix = cfg.get("puzzle_emb_len") or -(-e // d)
        self.n = self.prefix + cfg["seq_len"]
        p = self.p = {}
        std = 1 / math.sqrt(d)
        p["embed_tokens.embedding_weight"] = trunc_normal(gen, std, v, d)
        p["lm_head.weight"] = trunc_normal(gen, std, v, d)
        trunc_normal(gen, std, 2, d)  # the q head is drawn before it is set
        p["q_head.weight"], p["q_head.bias"] = torch.zeros(2, d), torch.full((2,), -5.0)
        if e:
            p["puzzle_emb.weights"] = torch.zeros(cfg["num_puzzle_identifiers"], e)
        if cfg["pos_encodings"] == "learned":
            p["embed_pos.embedding_weight"] = trunc_normal(gen, std, self.n, d)
        for level in ("L",) if trm else ("H", "L"):
            for i in range(cfg[level + "_layers"]):
                at = f"{level}_level.layers.{i}."
                draw = lambda name, out, into: p.__setitem__(at + name, trunc_normal(gen, 1 / math.sqrt(into), out, into))
                if cfg.get("mlp_t"):
                    f = width(cfg, self.n)
                    draw("mlp_t.gate_up_proj.weight", 2 * f, self.n)
                    draw("mlp_t.down_proj.weight", self.n, f)
                else:
                    draw("self_attn.qkv_proj.weight", 3 * d, d)
                    draw("self_attn.o_proj.weight", d, d)
                f = width(cfg, d)
                draw("mlp.gate_up_proj.weight", 2 * f, d)
                draw("mlp.down_proj.weight", d, f)
        for level in "HL":
            p[level + "_init"] = trunc_normal(gen, 1, d)

    def trained(self):
        return {n: t for n, t in self.p.items() if not n.endswith("_init") and n != "puzzle_emb.weights"}

    def see(self, name, x):
        self.seen.setdefault(name, []).append(x.detach().clone())
        return x

    def w(self, name):
        return self.p[name].to(self.dtype)

    def rms(self, x):
        x = x.float()
        return (x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.cfg["rms_norm_eps"])).to(self.dtype)

    def swiglu(self, x, at):
        gate, up = (x @ self.w(at + "gate_up_proj.weight").T).chunk(2, -1)
        return (F.silu(gate) * up) @ self.w(at + "down_proj.weight").T

    def rope(self):
        hd = self.cfg["hidden_size"] // self.cfg["num_heads"]
        j = torch.arange(0, hd, 2, dtype=torch.float32)
        angle = torch.outer(torch.arange(self.n, dtype=torch.float32), 1 / self.cfg["rope_theta"] ** (j / hd))
        return torch.cat([angle, angle], 1).cos(), torch.cat([angle, angle], 1).sin()

    def attention(self, x, at):
        heads = self.cfg["num_heads"]
        qkv = self.see(at + "qkv_proj", x @ self.w(at + "qkv_proj.weight").T)
        b, n, _ = qkv.shape
        q, k, v = qkv.float().view(b, n, 3 * heads, -1).transpose(1, 2).chunk(3, 1)  # [b, heads, n, hd]
        if self.cfg["pos_encodings"] == "rope":
            cos, sin = self.rope()
            turn = lambda y: y * cos + torch.cat([-y.chunk(2, -1)[1], y.chunk(2, -1)[0]], -1) * sin
            q, k = turn(q).to(self.dtype).float(), turn(k).to(self.dtype).float()
        w = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]), -1)
        return (w @ v).transpose(1, 2).reshape(b, n, -1).to(self.dtype) @ self.w(at + "o_proj.weight").T

    def level(self, name, z, inject):
        x = z + inject
        for i in range(self.cfg[name + "_layers"]):
            at = f"{name}_level.layers.{i}."
            if self.cfg.get("mlp_t"):
                y = x.transpose(1, 2)
                x = self.rms(y + self.see(at + "mlp_t", self.swiglu(y, at + "mlp_t."))).transpose(1, 2)
            else:
                x = self.rms(x + self.see(at + "self_attn", self.attention(x, at + "self_attn.")))
            x = self.see(at[:-1], self.rms(x + self.see(at + "mlp", self.swiglu(x, at + "mlp."))))
        return self.see(name + "_level.out", x)

    def call(self, zh, zl, inputs, rows):
        """rows are the puzzle vectors of the batch, [b, e]."""
        cfg, d = self.cfg, self.cfg["hidden_size"]
        e = self.p["embed_tokens.embedding_weight"][inputs]
        if self.prefix:
            pad = F.pad(rows, (0, self.prefix * d - rows.shape[1]))
            e = torch.cat([pad.view(len(rows), self.prefix, d), e], 1)
        if cfg["pos_encodings"] == "learned":
            e = math.sqrt(0.5) * (e + self.p["embed_pos.embedding_weight"])
        e = self.see("input_embeddings", (math.sqrt(d) * e).to(self.dtype))
        if cfg["pos_encodings"] == "rope":
            for name, x in zip(("rope.cos", "rope.sin"), self.rope()):
                self.see(name, x)
        slow = "L" if self.trm else "H"
        grad = torch.is_grad_enabled()
        for h in range(cfg["H_cycles"]):
            last_h = h == cfg["H_cycles"] - 1
            for l in range(cfg["L_cycles"]):
                with torch.set_grad_enabled(grad and last_h and (self.trm or l == cfg["L_cycles"] - 1)):
                    zl = self.level("L", zl, zh + e)
            with torch.set_grad_enabled(grad and last_h):
                zh = self.level(slow, zh, zl)
        q = (zh[:, 0] @ self.w("q_head.weight").T + self.w("q_head.bias")).float()
        return zh, zl, zh[:, self.prefix :] @ self.w("lm_head.weight").T, q[:, 0], q[:, 1]


def token_losses(kind, logits, labels):
    """[b, seq]; 0 where a label is ignored."""
    at = labels.clamp(min=0).unsqueeze(-1)
    if kind == "softmax_cross_entropy":
        loss = -torch.log_softmax(logits, -1).gather(-1, at)
    else:
        x = logits.double()
        s = torch.where(x < 0, 1 / (1 - x + 1e-30), x + 1)
        loss = -torch.log(s.gather(-1, at) / s.sum(-1, keepdim=True))
    return loss.squeeze(-1) * (labels != IGNORE)


def bce(logit, target):
    return F.binary_cross_entropy_with_logits(logit, target, reduction="sum")


def rate(base, hyper, t):
    """Linear warm-up, then a cosine down to a floor."""
    warmup, total, floor = hyper["lr_warmup_steps"], hyper["total_steps"], hyper["lr_min_ratio"]
    if t < warmup:
        return base * t / warmup
    return base * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (t - warmup) / max(1, total - warmup))))


class Optimizer:
    """SignSGD on the puzzle rows that occur, Adam-atan2 on all trained weights, their average beside."""

    def __init__(self, net, hyper):
        self.net, self.h, self.t = net, hyper, 0
        self.m = {n: torch.zeros_like(t) for n, t in net.trained().items()}
        self.v = {n: torch.zeros_like(t) for n, t in net.trained().items()}
        self.ema = {n: t.clone() for n, t in net.trained().items()}

    def step(self, grads, ids, rows):
        h, self.t = self.h, self.t + 1
        if rows is not None:
            lr, table = rate(h["puzzle_emb_lr"], h, self.t), self.net.p["puzzle_emb.weights"]
            for i in ids.unique().tolist():
                table[i] = table[i] * (1 - lr * h["puzzle_emb_weight_decay"]) - lr * torch.sign(rows[ids == i].sum(0))
        lr, b1, b2 = rate(h["lr"], h, self.t), h["beta1"], h["beta2"]
        for n, p in self.net.trained().items():
            p.mul_(1 - lr * h["weight_decay"])
            self.m[n] = b1 * self.m[n] + (1 - b1) * grads[n]
            self.v[n] = b2 * self.v[n] + (1 - b2) * grads[n] ** 2
            p -= lr / (1 - b1**self.t) * torch.atan2(self.m[n], torch.sqrt(self.v[n]) / math.sqrt(1 - b2**self.t))
            if h["ema_rate"]:
                self.ema[n] = h["ema_rate"] * self.ema[n] + (1 - h["ema_rate"]) * p


def stirred(cfg, gen, trm):
    """A fresh network; what begins at 0 would hide errors and is drawn too."""
    net = Net(cfg, gen, trm)
    net.p["q_head.weight"] = trunc_normal(gen, 0.5, *net.p["q_head.weight"].shape)
    net.p["q_head.bias"] = torch.tensor([0.1, -0.1])
    if "puzzle_emb.weights" in net.p:
        net.p["puzzle_emb.weights"] = trunc_normal(gen, 0.5, *net.p["puzzle_emb.weights"].shape)
    return net


CONFIG = """\
arch:
  H_cycles: {H_cycles}
  H_layers: {H_layers}
  L_cycles: {L_cycles}
  L_layers: {L_layers}
  expansion: {expansion}
  halt_exploration_prob: {halt_exploration_prob}
  halt_max_steps: {halt_max_steps}
  hidden_size: {hidden_size}
  loss:
    loss_type: stablemax_cross_entropy
    name: losses@ACTLossHead
  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
  num_heads: {num_heads}
  pos_encodings: {pos_encodings}
  puzzle_emb_ndim: {puzzle_emb_ndim}
beta1: 0.9
beta2: 0.95
checkpoint_path: checkpoints/Own-tiny ACT-torch/HierarchicalReasoningModel_ACTV1
  own tiny
data_path: data/own-tiny
epochs: 100
global_batch_size: 3
lr: 0.001
lr_min_ratio: 1.0
lr_warmup_steps: 2
project_name: Own-tiny ACT-torch
puzzle_emb_lr: 0.01
puzzle_emb_weight_decay: 1.0
run_name: HierarchicalReasoningModel_ACTV1 own tiny
seed: 0
weight_decay: 1.0
"""


def checkpoint(to, cfg, seed):
    """A folder as the published trainer leaves it, and what its weights say in float32 and bfloat16."""
    os.makedirs(to, exist_ok=True)
    gen = torch.Generator().manual_seed(seed)
    net = stirred(cfg, gen, False)
    for level in "HL":  # saved in the type of activations
        net.p[level + "_init"] = net.p[level + "_init"].bfloat16()
    torch.save(OrderedDict(("_orig_mod.model.inner." + n, t) for n, t in net.p.items()), f"{to}/step_2")
    with open(f"{to}/all_config.yaml", "w") as f:
        f.write(CONFIG.format(**cfg))
    b, s = 3, cfg["seq_len"]
    draw = lambda top, *shape: torch.randint(0, top, shape, generator=gen)
    batch = {"inputs": draw(cfg["vocab_size"], b, s), "labels": draw(cfg["vocab_size"], b, s), "puzzle_identifiers": draw(cfg["num_puzzle_identifiers"], b)}
    out = {"batch." + n: t.int() for n, t in batch.items()}
    rows = net.p["puzzle_emb.weights"][batch["puzzle_identifiers"]]
    for kind, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        net.dtype = dtype
        zh, zl = (net.w(level + "_init").expand(b, net.n, -1) for level in "HL")
        for k in range(2):
            with torch.no_grad():
                zh, zl, logits, q_halt, q_cont = net.call(zh, zl, batch["inputs"], rows)
            out.update({f"{kind}.{k}.{n}": t.float().clone() for n, t in {"logits": logits, "q_halt_logits": q_halt, "q_continue_logits": q_cont}.items()})
    save_file(out, f"{to}/expected.safetensors", metadata={"torch": torch.__version__})


def record(path, cfg, run, seed, trm=False, probe=False):
    gen = torch.Generator().manual_seed(seed)
    net = stirred(cfg, gen, trm)
    out = {"inner." + n: t.clone() for n, t in net.p.items()}
    b, s, most = run["batch_size"], cfg["seq_len"], cfg["halt_max_steps"]
    training, learning = run["kind"] != "eval", run["kind"] == "train_grad"
    opt = Optimizer(net, run["hyper"]) if learning else None

    zh = zl = None
    steps, halted = torch.zeros(b, dtype=torch.int32), torch.ones(b, dtype=torch.bool)
    cur = {}
    for k in range(run["calls"]):
        if training or k == 0:
            draw = lambda top, *shape: torch.randint(0, top, shape, generator=gen)
            new = {"inputs": draw(cfg["vocab_size"], b, s), "labels": draw(cfg["vocab_size"], b, s), "puzzle_identifiers": draw(cfg["num_puzzle_identifiers"], b)}
            new["labels"][draw(4, b, s) == 0] = IGNORE
            out.update({f"batch.{k}.{n}": t.int() for n, t in new.items()})
        place = lambda v: v.expand(b, net.n, -1).clone()
        begin = halted.view(b, 1, 1)
        zh = torch.where(begin, net.p["H_init"], zh if zh is not None else place(net.p["H_init"]))
        zl = torch.where(begin, net.p["L_init"], zl if zl is not None else place(net.p["L_init"]))
        steps = torch.where(halted, 0, steps)
        cur = {n: torch.where(halted.view(-1, *[1] * (t.dim() - 1)), t, cur.get(n, t)) for n, t in new.items()}

        for t in net.trained().values():
            t.requires_grad_(learning)
        rows = net.p["puzzle_emb.weights"][cur["puzzle_identifiers"]].clone().requires_grad_(learning) if net.prefix else None
        net.seen = {}
        with torch.set_grad_enabled(learning):
            zh, zl, logits, q_halt, q_cont = net.call(zh, zl, cur["inputs"], rows)
        if probe and k == 0:
            for name, xs in net.seen.items():
                if name.endswith("_level.out"):
                    out.update({f"probe.{name}.{i}": x for i, x in enumerate(xs)})
                else:
                    out["probe." + name + (".0" if "_level" in name else "")] = xs[0]

        labels = cur["labels"]
        valid = labels != IGNORE
        n = valid.sum(1)
        right = ((logits.argmax(-1) == labels) & valid).sum(1)
        exact = right == n
        steps = steps + 1
        last = steps >= most
        target = None
        if not training or most == 1:
            halted = last
        else:
            u = torch.rand(b, generator=gen)
            least = torch.randint(2, most + 1, (b,), generator=gen).int()
            out[f"call.{k}.draw.uniform"], out[f"call.{k}.draw.randint"] = u, least
            least = torch.where(u < cfg["halt_exploration_prob"], least, 0)
            out[f"call.{k}.min_halt_steps"] = least.int()
            halted = (last | (q_halt > 0 if trm else q_halt > q_cont)).detach() & (steps >= least)
            if not trm:
                with torch.no_grad():
                    *_, again_halt, again_cont = net.call(zh, zl, cur["inputs"], rows)
                target = torch.sigmoid(torch.where(last, again_halt, torch.maximum(again_halt, again_cont)))

        with torch.set_grad_enabled(learning):
            lm = (token_losses(run["loss_type"], logits, labels).sum(1) / n.clamp(min=1)).sum()
            halt_loss = bce(q_halt, exact.float())
            total = lm + 0.5 * halt_loss
            cont_loss = torch.tensor(0.0)
            if target is not None:
                cont_loss = bce(q_cont, target)
                total = total + 0.5 * cont_loss
        done = halted & (n > 0)
        at = f"call.{k}."
        values = {
            "logits": logits, "q_halt_logits": q_halt, "q_continue_logits": q_cont, "z_H": zh, "z_L": zl,
            "steps": steps.int(), "halted": halted.to(torch.uint8), "loss.lm_loss": lm, "loss.q_halt_loss": halt_loss, "loss.q_continue_loss": cont_loss, "loss.total": total,
            "metric.count": done.sum(), "metric.accuracy": (right / n.clamp(min=1))[done].sum(), "metric.exact_accuracy": exact[done].sum(),
            "metric.q_halt_accuracy": ((q_halt >= 0) == exact)[done].sum(), "metric.steps": steps[done].sum(),
            **{"current." + n: t.int() for n, t in cur.items()},
        }
        if target is not None:
            values["target_q_continue"] = target
        out.update({at + n: t.detach().clone() for n, t in values.items()})
        zh, zl = zh.detach(), zl.detach()
        if not learning:
            continue

        names = list(net.trained())
        by = [net.p[n] for n in names] + ([rows] if rows is not None else [])
        grads = torch.autograd.grad(total / b, by, allow_unused=True, materialize_grads=True)
        out[at + "grad_norm"] = torch.sqrt(sum((g.double() ** 2).sum() for g in grads)).float()
        for t in net.trained().values():
            t.requires_grad_(False)
        opt.step(dict(zip(names, grads)), cur["puzzle_identifiers"], grads[len(names)] if rows is not None else None)
        if k == 0:
            out.update({f"{at}grad.inner.{n}": g for n, g in zip(names, grads)})
            if rows is not None:
                out[at + "grad.inner.puzzle_emb.local_weights"] = grads[len(names)]
        if k == run["calls"] - 1:
            after = {n: t for n, t in net.p.items() if not n.endswith("_init")}
            out.update({f"{at}param_after.inner.{n}": t.clone() for n, t in after.items()})
            if run["hyper"]["ema_rate"]:
                out.update({f"{at}ema_after.inner.{n}": t for n, t in opt.ema.items()})
    meta = {"format": "trm-parity-1" if trm else "hrm-parity-1", "config": json.dumps(cfg), "run": json.dumps(run), "torch": torch.__version__}
    save_file({n: t.contiguous() for n, t in out.items()}, path, metadata=meta)


def config(**over):
    return {
        "halt_exploration_prob": 0.4, "halt_max_steps": 3, "H_cycles": 2, "L_cycles": 2, "H_layers": 1, "L_layers": 1, "hidden_size": 8,
        "num_heads": 2, "expansion": 4, "puzzle_emb_ndim": 0, "pos_encodings": "rope", "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "forward_dtype": "float32", "seq_len": 6, "vocab_size": 5, "num_puzzle_identifiers": 3, **over,
    }


def run(kind, calls, loss="stablemax_cross_entropy", **hyper):
    r = {"kind": kind, "calls": calls, "batch_size": 3, "loss_type": loss}
    if kind == "train_grad":
        r["hyper"] = {
            "lr": 1e-3, "lr_min_ratio": 0.1, "lr_warmup_steps": 2, "total_steps": 8, "weight_decay": 0.1, "beta1": 0.9, "beta2": 0.95,
            "puzzle_emb_lr": 1e-2, "puzzle_emb_weight_decay": 0.1, "ema_rate": 0, **hyper,
        }
    return r


if __name__ == "__main__":
    to = sys.argv[1]
    torch.set_num_threads(1)
    record(f"{to}/hrm_eval.safetensors", config(pos_encodings="learned", L_layers=2, puzzle_emb_ndim=10), run("eval", 3, "softmax_cross_entropy"), 1, probe=True)
    record(f"{to}/hrm_halt.safetensors", config(), run("train_halting", 5), 2, probe=True)
    record(f"{to}/hrm_one.safetensors", config(halt_max_steps=1, H_cycles=1), run("train_halting", 2), 6)
    record(f"{to}/hrm_grad.safetensors", config(puzzle_emb_ndim=8), run("train_grad", 3), 3)
    record(f"{to}/trm_grad.safetensors", config(puzzle_emb_ndim=8, puzzle_emb_len=2, mlp_t=True, pos_encodings="none", L_cycles=3), run("train_grad", 3, ema_rate=0.9), 4, trm=True)
    checkpoint(f"{to}/checkpoint", config(pos_encodings="learned", puzzle_emb_ndim=8, halt_max_steps=2), 7)
    init = config(puzzle_emb_ndim=8)
    fresh = Net(init, torch.Generator().manual_seed(5), False)
    save_file({"inner." + n: t for n, t in fresh.p.items()}, f"{to}/hrm_init.safetensors", metadata={"format": "hrm-parity-1-init", "config": json.dumps(init), "seed": "5", "torch": torch.__version__})
    cases = []
    for base, warmup, total, floor in ((1e-4, 2000, 20000, 1.0), (3e-4, 10, 200, 0.1), (1e-3, 0, 7, 0.0)):
        h = {"lr_warmup_steps": warmup, "total_steps": total, "lr_min_ratio": floor}
        steps = sorted({1, 2, warmup // 2 + 1, max(warmup, 1), warmup + 1, (warmup + total) // 2, total})
        cases.append({"base_lr": base, "num_warmup_steps": warmup, "num_training_steps": total, "min_ratio": floor, "points": [[t, rate(base, h, t)] for t in steps]})
    with open(f"{to}/lr_schedule.json", "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")
