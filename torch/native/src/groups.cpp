// The block of grouped mixing as one operation with a gradient of its own.
#include "groups.h"
#include "head.h"
#include "ponder.h"
#include "tensors.h"

#include <algorithm>
#include <cmath>
#include <vector>

#define KERNELS "groups.inc"
#include "each_isa.h"

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Shapes are what the flat weights and the index describe.
struct Shapes {
  int64_t h, k, f, kinds;
  double sums, scale, eps; // factors of the sums over groups and of all before the gate

  // sizes are in and out of message, self, down, cell and each kind.
  std::vector<std::pair<int64_t, int64_t>> sizes() const {
    std::vector<std::pair<int64_t, int64_t>> out = {{h, k}, {h, 2 * f}, {f, h}, {k, 2 * f}};
    for (int64_t i = 0; i < kinds; i++) out.push_back({k, 2 * f});
    return out;
  }
  // factor of weight i in the sum before the gate.
  double factor(size_t i) const { return i == 1 ? scale : i > 2 ? scale * sums : 1; }
  int64_t floats() const {
    int64_t n = 0;
    for (auto &s : sizes()) n += s.first * s.second;
    return n;
  }
};

// Packed are weights as [in, out], scaled, and transposed, [out, in].
struct Packed {
  std::vector<float> w, t;
  Packed(const Shapes &s, const float *flat) : w(s.floats()), t(s.floats()) {
    int64_t at = 0;
    auto sizes = s.sizes();
    for (size_t i = 0; i < sizes.size(); i++) {
      auto [in, out] = sizes[i];
      float by = (float)s.factor(i);
      for (int64_t o = 0; o < out; o++)
        for (int64_t p = 0; p < in; p++) {
          float x = flat[at + o * in + p] * by;
          t[at + o * in + p] = x;
          w[at + p * out + o] = x;
        }
      at += in * out;
    }
  }
};

GroupWeights parts(const Shapes &s, float *p) {
  float *self = p + s.h * s.k, *down = self + s.h * 2 * s.f, *cell = down + s.f * s.h;
  return {p, self, down, cell, cell + s.k * 2 * s.f};
}

// A Board is the groups of a board as its open cells see them.
struct Board {
  std::vector<int64_t> open, starts, members, before, of;
  std::vector<float> own, others;

  // settled has, for each cell, the symbol that it holds, or -1 for an open one.
  Board(const int64_t *index, int64_t symbols, const int64_t *settled) : starts{0}, before{0} {
    int64_t cells = index[0], groups = index[2];
    const int64_t *start = index + 4 + index[1] + 1, *member = start + groups + 1;
    const int64_t *of_before = member + index[3], *of_all = of_before + cells + 1;
    std::vector<int64_t> number(cells);
    for (int64_t c = 0; c < cells; c++) {
      if (settled[c] >= 0) continue;
      number[c] = (int64_t)open.size();
      open.push_back(c);
      of.insert(of.end(), of_all + of_before[c], of_all + of_before[c + 1]);
      before.push_back((int64_t)of.size());
    }
    own.resize(symbols * groups);
    others.resize(symbols * groups);
    for (int64_t i = 0; i < groups; i++) {
      for (int64_t p = start[i]; p < start[i + 1]; p++) {
        int64_t c = member[p], d = settled[c];
        if (d < 0) members.push_back(number[c]);
        else
          for (int64_t s = 0; s < symbols; s++) (s == d ? own : others)[s * groups + i]++;
      }
      starts.push_back((int64_t)members.size());
    }
  }
};

// A Mix is a whole call: the weights, and the board of each row.
struct Mix {
  Shapes s;
  Packed p;
  std::vector<float> quiet; // what settled cells say
  std::vector<Board> boards;
  std::vector<GroupBlock> rows;

  Mix(const Shapes &s, const Tensor &flat, const Tensor &index, const Tensor &settled, int64_t symbols) : s(s), p(s, flat.data_ptr<float>()) {
    const float *last = flat.data_ptr<float>() + s.floats();
    quiet.assign(last, last + 2 * s.k);
    const int64_t *i = index.data_ptr<int64_t>();
    int64_t batch = settled.size(0), cells = settled.size(1);
    GroupWeights w = parts(s, p.w.data()), t = parts(s, p.t.data());
    boards.reserve(batch);
    for (int64_t b = 0; b < batch; b++) {
      boards.emplace_back(i, symbols, settled.data_ptr<int64_t>() + b * cells);
      const Board &board = boards.back();
      GroupBlock g = {s.h, s.k, s.f, s.kinds, symbols, (float)s.eps, w.message, w.self, w.down, w.cell, w.kind, t.message, t.self, t.down, t.cell, t.kind, quiet.data()};
      g.all = cells, g.cells = (int64_t)board.open.size(), g.groups = i[2];
      g.open = board.open.data(), g.first = i + 4, g.starts = board.starts.data(), g.members = board.members.data();
      g.before = board.before.data(), g.of = board.of.data(), g.own = board.own.data(), g.others = board.others.data();
      rows.push_back(g);
    }
  }
};

// boards that share a buffer for the gradients of the weights; a constant, so that the order of the sum does
// not depend on the number of threads.
const int64_t share = 4;

struct GroupMix : Function<GroupMix> {
  using Maybe = c10::optional<Tensor>;
  static Tensor forward(AutogradContext *ctx, Tensor z, Maybe plus_, Maybe too_, Tensor flat, Tensor index, Tensor settled, int64_t h, int64_t k, int64_t f, double sums_scale, double scale, double eps, bool record) {
    auto pointer = [](Maybe &t) { return t ? (*t = t->contiguous()).data_ptr<float>() : nullptr; };
    z = z.contiguous();
    flat = flat.contiguous();
    const float *plus = pointer(plus_), *too = pointer(too_);
    int64_t batch = z.size(0), n = z.size(1), symbols = n / settled.size(1), groups = index.data_ptr<int64_t>()[2];
    Mix mix({h, k, f, index.data_ptr<int64_t>()[1], sums_scale, scale, eps}, flat, index, settled, symbols);
    // Of what is saved, a row with settled cells uses the beginning.
    const int64_t sizes[] = {n * h, n * h, n * k, symbols * groups * k, settled.size(1) * k, n, n * 2 * f};
    Tensor out = z.clone();
    std::vector<Tensor> saved;
    if (record)
      for (int64_t size : sizes) saved.push_back(torch::empty({batch, size}, z.options()));
    at::parallel_for(0, batch, 1, [&](int64_t lo, int64_t hi) {
      std::vector<std::vector<float>> own(6);
      if (!record)
        for (int i = 0; i < 6; i++) own[i].resize(sizes[i]);
      std::vector<float> scratch;
      for (int64_t b = lo; b < hi; b++) {
        const GroupBlock &g = mix.rows[b];
        scratch.resize(std::max<size_t>(scratch.size(), base::forward_floats(g)));
        auto row = [&](const float *p) { return p ? p + b * n * h : nullptr; };
        auto to = [&](int i) { return record ? saved[i].data_ptr<float>() + b * sizes[i] : own[i].data(); };
        KERNEL(group_forward(g, row(z.data_ptr<float>()), row(plus), row(too), out.data_ptr<float>() + b * n * h, to(0), to(1), to(2), to(3), to(4), record ? to(6) : nullptr, to(5), scratch.data()));
      }
    });
    if (record) {
      variable_list keep = {flat, index, settled};
      keep.insert(keep.end(), saved.begin(), saved.end());
      ctx->save_for_backward(keep);
      auto &d = ctx->saved_data;
      d["symbols"] = symbols, d["h"] = h, d["k"] = k, d["f"] = f, d["sums"] = sums_scale, d["scale"] = scale, d["eps"] = eps;
      d["plus"] = plus != nullptr, d["too"] = too != nullptr;
    }
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto v = ctx->get_saved_variables();
    Tensor flat = v[0], index = v[1], settled = v[2], go = grads[0].contiguous();
    auto &d = ctx->saved_data;
    int64_t symbols = d["symbols"].toInt(), h = d["h"].toInt(), k = d["k"].toInt();
    Mix mix({h, k, d["f"].toInt(), index.data_ptr<int64_t>()[1], d["sums"].toDouble(), d["scale"].toDouble(), d["eps"].toDouble()}, flat, index, settled, symbols);
    const Shapes &s = mix.s;
    int64_t batch = settled.size(0), chunks = (batch + share - 1) / share, nw = s.floats() + 2 * k;
    Tensor dx = torch::zeros_like(go), dflat = torch::empty_like(flat);
    std::vector<float> dw(chunks * nw);
    at::parallel_for(0, chunks, 1, [&](int64_t lo, int64_t hi) {
      std::vector<float> scratch;
      for (int64_t c = lo; c < hi; c++)
        for (int64_t b = c * share; b < std::min(batch, (c + 1) * share); b++) {
          const GroupBlock &g = mix.rows[b];
          scratch.resize(std::max<size_t>(scratch.size(), base::backward_floats(g)));
          auto at = [&](const Tensor &t) { return t.data_ptr<float>() + b * (t.numel() / batch); };
          float *to = dw.data() + c * nw;
          KERNEL(group_backward(g, parts(s, to), to + s.floats(), at(go), at(v[3]), at(v[4]), at(v[5]), at(v[6]), at(v[7]), at(v[9]), at(v[8]), at(dx), scratch.data()));
        }
    });
    for (int64_t c = 1; c < chunks; c++)
      for (int64_t i = 0; i < nw; i++) dw[i] += dw[c * nw + i];
    float *to = dflat.data_ptr<float>();
    int64_t at = 0;
    auto sizes = s.sizes();
    for (size_t i = 0; i < sizes.size(); i++) {
      auto [in, o] = sizes[i];
      for (int64_t r = 0; r < o; r++)
        for (int64_t q = 0; q < in; q++) to[at + r * in + q] = dw[at + q * o + r] * (float)s.factor(i);
      at += in * o;
    }
    std::copy(dw.begin() + at, dw.begin() + nw, to + at);
    return {dx, d["plus"].toBool() ? dx : Tensor(), d["too"].toBool() ? dx : Tensor(), dflat, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

} // namespace

ponder_tensor ponder_group_block(ponder_tensor z_, ponder_tensor plus_, ponder_tensor too_, ponder_tensor *weights, int n, ponder_tensor index_, ponder_tensor settled_, double sums, double scale, double eps) {
  return guard([&] {
    Tensor z = of(z_), index = of(index_), settled = of(settled_);
    TORCH_CHECK(n >= 5, "group_block: ", n, " weights, want message, self, down, cell, one for each kind and settled");
    int64_t h = of(weights[0]).size(1), k = of(weights[0]).size(0), f = of(weights[2]).size(1);
    TORCH_CHECK(h % 16 == 0 && k % 16 == 0 && f % 16 == 0, "group_block: widths ", h, ", ", k, " and ", f, ", want multiples of 16");
    TORCH_CHECK(index.device().is_cpu() && index.scalar_type() == torch::kLong && index.is_contiguous() && index.numel() > 4, "group_block: no index of groups");
    const int64_t *i = index.data_ptr<int64_t>();
    TORCH_CHECK(i[1] == n - 5, "group_block: ", n - 5, " kinds of weights, groups of ", i[1]);
    TORCH_CHECK(z.device().is_cpu() && z.scalar_type() == torch::kFloat && z.dim() == 3 && z.size(2) == h && z.size(1) % i[0] == 0, "group_block: state ", z.sizes(), " for ", i[0], " cells of width ", h);
    TORCH_CHECK(settled.device().is_cpu() && settled.scalar_type() == torch::kLong && settled.is_contiguous() && settled.sizes() == torch::IntArrayRef({z.size(0), i[0]}), "group_block: settled ", settled.sizes(), " for ", z.size(0), " boards of ", i[0], " cells");
    c10::optional<Tensor> plus, too;
    for (auto p : {std::make_pair(&plus, plus_), std::make_pair(&too, too_)}) {
      if (!p.second) continue;
      TORCH_CHECK(of(p.second).sizes() == z.sizes() && of(p.second).scalar_type() == torch::kFloat, "group_block: ", of(p.second).sizes(), " added to a state ", z.sizes());
      *p.first = of(p.second);
    }
    const std::vector<std::vector<int64_t>> first = {{k, h}, {2 * f, h}, {h, f}}, last = {{2 * f, k}, {2, k}};
    std::vector<Tensor> flat;
    for (int j = 0; j < n; j++) {
      Tensor w = of(weights[j]);
      TORCH_CHECK(w.sizes() == torch::IntArrayRef(j < 3 ? first[j] : last[j == n - 1]), "group_block: weight ", j, " is ", w.sizes());
      flat.push_back(w.reshape(-1));
    }
    Tensor all = torch::cat(flat);
    auto grad = [](const c10::optional<Tensor> &t) { return t && t->requires_grad(); };
    bool record = torch::GradMode::is_enabled() && (all.requires_grad() || z.requires_grad() || grad(plus) || grad(too));
    return GroupMix::apply(z, plus, too, all, index, settled, h, k, f, sums, scale, eps, record);
  });
}
