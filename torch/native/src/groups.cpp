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

  // sizes are in and out of message, self, down, cell and each kind.
  std::vector<std::pair<int64_t, int64_t>> sizes() const {
    std::vector<std::pair<int64_t, int64_t>> out = {{h, k}, {h, 2 * f}, {f, h}, {k, 2 * f}};
    for (int64_t i = 0; i < kinds; i++) out.push_back({k, 2 * f});
    return out;
  }
  int64_t floats() const {
    int64_t n = 0;
    for (auto &s : sizes()) n += s.first * s.second;
    return n;
  }
};

// A Scale is the factors of the sums over groups, and of all before the gate.
struct Scale {
  double sums, all;

  // of is that of weight i.
  float of(size_t i) const { return (float)(i == 1 ? all : i > 2 ? all * sums : 1); }
};

// The first numbers of packed weights say what they are; those that follow are aligned as the first.
enum Field { Set, H, K, F, Kinds, Fields = 16 };

Shapes shapes_of(const float *packed) { return {(int64_t)packed[H], (int64_t)packed[K], (int64_t)packed[F], (int64_t)packed[Kinds]}; }

// pack lays weights out as group_forward reads them, and after them what settled cells say.
Tensor pack(const std::vector<Tensor> &weights, const Shapes &s, const Scale &scale) {
  auto sizes = s.sizes();
  int64_t floats = Fields + 2 * s.k;
  for (auto [in, out] : sizes) floats += KERNEL_OF(packed_floats(out, in, false));
  Tensor packed = torch::zeros({floats}, torch::kFloat);
  float *to = packed.data_ptr<float>();
  to[Set] = (float)(int)ponder_isa_used(), to[H] = (float)s.h, to[K] = (float)s.k, to[F] = (float)s.f, to[Kinds] = (float)s.kinds;
  to += Fields;
  for (size_t i = 0; i < sizes.size(); i++) {
    auto [in, out] = sizes[i];
    Tensor w = (weights[i].detach() * scale.of(i)).contiguous();
    const float *from = w.data_ptr<float>();
    KERNEL(pack_panels(from, out, in, false, to));
    to += KERNEL_OF(packed_floats(out, in, false));
  }
  Tensor last = weights.back().detach().contiguous();
  std::copy(last.data_ptr<float>(), last.data_ptr<float>() + 2 * s.k, to);
  return packed;
}

// parts are where the gradients of weights stand in p.
GroupWeights parts(const Shapes &s, float *p) {
  float *self = p + s.h * s.k, *down = self + s.h * 2 * s.f, *cell = down + s.f * s.h;
  return {p, self, down, cell, cell + s.k * 2 * s.f};
}

// A Board is the groups of a board as its open cells see them.
struct Board {
  std::vector<int64_t> open, starts, members, before, of, heard, symbol;

  // settled has, for each cell, the symbol that it holds, or -1 for an open one.
  Board(const int64_t *index, const int64_t *settled) : starts{0}, before{0}, heard{0} {
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
    for (int64_t i = 0; i < groups; i++) {
      for (int64_t p = start[i]; p < start[i + 1]; p++) {
        int64_t c = member[p], d = settled[c];
        if (d < 0) members.push_back(number[c]);
        else symbol.push_back(d);
      }
      starts.push_back((int64_t)members.size());
      heard.push_back((int64_t)symbol.size());
    }
  }
};

// A Mix is a whole call: the weights, and the board of each row.
struct Mix {
  Shapes s;
  std::vector<Board> boards;
  std::vector<GroupBlock> rows;

  Mix(const Shapes &s, const Tensor &index, const Tensor &settled, int64_t symbols, double eps) : s(s) {
    const int64_t *i = index.data_ptr<int64_t>();
    int64_t batch = settled.size(0), cells = settled.size(1);
    boards.reserve(batch);
    for (int64_t b = 0; b < batch; b++) {
      boards.emplace_back(i, settled.data_ptr<int64_t>() + b * cells);
      const Board &board = boards.back();
      GroupBlock g = {s.h, s.k, s.f, s.kinds, symbols, (float)eps};
      g.all = cells, g.cells = (int64_t)board.open.size(), g.groups = i[2];
      g.open = board.open.data(), g.first = i + 4, g.starts = board.starts.data(), g.members = board.members.data();
      g.before = board.before.data(), g.of = board.of.data(), g.heard = board.heard.data(), g.symbol = board.symbol.data();
      rows.push_back(g);
    }
  }

  // scratch is how many floats any row needs.
  int64_t scratch() const {
    int64_t n = 0;
    for (const GroupBlock &g : rows) n = std::max(n, KERNEL_OF(forward_floats(g)));
    return n;
  }

  // use_packed gives each row the weights of the forward pass.
  void use_packed(const Tensor &packed) {
    const float *p = packed.data_ptr<float>() + Fields, *at[5];
    auto sizes = s.sizes();
    for (size_t i = 0; i < sizes.size(); i++) {
      if (i < 5) at[i] = p;
      p += KERNEL_OF(packed_floats(sizes[i].second, sizes[i].first, false));
    }
    if (s.kinds == 0) at[4] = p;
    for (GroupBlock &g : rows) g.message = at[0], g.self = at[1], g.down = at[2], g.cell = at[3], g.kind = at[4], g.settled = p;
  }

  // use_plain gives each row those of the gradient, [out, in] one after the other.
  void use_plain(float *flat) {
    GroupWeights w = parts(s, flat);
    for (GroupBlock &g : rows) g.message_t = w.message, g.self_t = w.self, g.down_t = w.down, g.cell_t = w.cell, g.kind_t = w.kind;
  }
};

// boards that share a buffer for the gradients of the weights; a constant, so that the order of the sum does
// not depend on the number of threads.
const int64_t share = 4;

// What the gradient needs of the forward pass, for each row: x, y, pre, sums, each, inv and up of group_forward. Of
// what is saved, a row with settled cells uses the beginning.
std::vector<int64_t> saved_floats(const Shapes &s, int64_t symbols, int64_t cells, int64_t groups) {
  int64_t n = symbols * cells;
  return {n * s.h, n * s.h, n * s.k, symbols * groups * s.k, cells * s.k, n, n * 2 * s.f};
}

// room is floats of this thread, which stay for its next call: memory from the system has to be cleared first.
float *room(int64_t floats) {
  thread_local std::vector<float> kept;
  if ((int64_t)kept.size() < floats) kept.resize(floats);
  return kept.data();
}

// think is what becomes of z. Saved is either empty or has room for what the gradient needs.
Tensor think(Mix &mix, const Tensor &packed, const Tensor &z, const Tensor &plus, const Tensor &too, const std::vector<Tensor> &saved) {
  mix.use_packed(packed);
  const GroupBlock &any = mix.rows[0];
  const auto sizes = saved_floats(mix.s, any.symbols, any.all, any.groups);
  const int64_t row = any.symbols * any.all * any.h;
  Tensor out = z.clone();
  at::parallel_for(0, (int64_t)mix.rows.size(), 1, [&](int64_t lo, int64_t hi) {
    int64_t floats = mix.scratch();
    float *own[7] = {};
    if (saved.empty())
      for (int i = 0; i < 6; i++) floats += sizes[i];
    float *scratch = room(floats) + floats;
    if (saved.empty())
      for (int i = 0; i < 6; i++) own[i] = scratch -= sizes[i];
    scratch -= mix.scratch();
    for (int64_t b = lo; b < hi; b++) {
      auto of = [&](const Tensor &t) { return t.defined() ? t.data_ptr<float>() + b * row : nullptr; };
      auto to = [&](int i) { return saved.empty() ? own[i] : saved[i].data_ptr<float>() + b * sizes[i]; };
      KERNEL(group_forward(mix.rows[b], of(z), of(plus), of(too), of(out), to(0), to(1), to(2), to(3), to(4), to(6), to(5), scratch));
    }
  });
  return out;
}

struct GroupMix : Function<GroupMix> {
  using Maybe = c10::optional<Tensor>;
  static Tensor forward(AutogradContext *ctx, Tensor z, Maybe plus, Maybe too, Tensor flat, Tensor packed, Tensor index, Tensor settled, double sums, double all, double eps) {
    const Shapes s = shapes_of(packed.data_ptr<float>());
    int64_t batch = z.size(0), symbols = z.size(1) / settled.size(1);
    Mix mix(s, index, settled, symbols, eps);
    variable_list saved, keep = {flat, index, settled};
    for (int64_t size : saved_floats(s, symbols, settled.size(1), index.data_ptr<int64_t>()[2])) saved.push_back(torch::empty({batch, size}, z.options()));
    auto whole = [](const Maybe &t) { return t ? t->contiguous() : Tensor(); };
    Tensor out = think(mix, packed, z.contiguous(), whole(plus), whole(too), saved);
    keep.insert(keep.end(), saved.begin(), saved.end());
    ctx->save_for_backward(keep);
    auto &d = ctx->saved_data;
    d["symbols"] = symbols, d["h"] = s.h, d["k"] = s.k, d["f"] = s.f, d["sums"] = sums, d["all"] = all, d["eps"] = eps;
    d["plus"] = plus.has_value(), d["too"] = too.has_value();
    return out;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto v = ctx->get_saved_variables();
    Tensor flat = v[0], index = v[1], settled = v[2], go = grads[0].contiguous();
    auto &d = ctx->saved_data;
    int64_t symbols = d["symbols"].toInt(), h = d["h"].toInt(), k = d["k"].toInt();
    const Shapes s = {h, k, d["f"].toInt(), index.data_ptr<int64_t>()[1]};
    const Scale scale = {d["sums"].toDouble(), d["all"].toDouble()};
    Mix mix(s, index, settled, symbols, d["eps"].toDouble());
    auto sizes = s.sizes();
    Tensor plain = flat.clone();
    float *w = plain.data_ptr<float>();
    mix.use_plain(w);
    for (size_t i = 0; i < sizes.size(); i++)
      for (int64_t n = sizes[i].first * sizes[i].second; n > 0; n--) *w++ *= scale.of(i);
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
    for (size_t i = 0; i < sizes.size(); i++) {
      auto [in, o] = sizes[i];
      for (int64_t r = 0; r < o; r++)
        for (int64_t q = 0; q < in; q++) to[at + r * in + q] = dw[at + q * o + r] * scale.of(i);
      at += in * o;
    }
    std::copy(dw.begin() + at, dw.begin() + nw, to + at);
    return {dx, d["plus"].toBool() ? dx : Tensor(), d["too"].toBool() ? dx : Tensor(), dflat, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

// A Given is the weights of a call, checked.
struct Given {
  std::vector<Tensor> weights;
  Shapes s;

  Given(ponder_tensor *given, int n) {
    TORCH_CHECK(n >= 5, "group_block: ", n, " weights, want message, self, down, cell, one for each kind and settled");
    for (int j = 0; j < n; j++) weights.push_back(of(given[j]));
    s = {weights[0].size(1), weights[0].size(0), weights[2].size(1), n - 5};
    TORCH_CHECK(s.h % 16 == 0 && s.k % 16 == 0 && s.f % 16 == 0, "group_block: widths ", s.h, ", ", s.k, " and ", s.f, ", want multiples of 16");
    auto sizes = s.sizes();
    sizes.push_back({s.k, 2});
    for (int j = 0; j < n; j++)
      TORCH_CHECK(plain(weights[j]) && weights[j].sizes() == torch::IntArrayRef({sizes[j].second, sizes[j].first}), "group_block: weight ", j, " is ", weights[j].sizes());
  }
};

} // namespace

ponder_tensor ponder_group_pack(ponder_tensor *weights, int n, double sums, double all) {
  return guard([&] {
    Given g(weights, n);
    return pack(g.weights, g.s, {sums, all});
  });
}

ponder_tensor ponder_group_block(ponder_tensor packed_, ponder_tensor z_, ponder_tensor plus_, ponder_tensor too_, ponder_tensor *weights, int n, ponder_tensor index_, ponder_tensor settled_, double sums, double all, double eps) {
  return guard([&] {
    Tensor packed = of(packed_), z = of(z_), index = of(index_), settled = of(settled_), plus, too;
    TORCH_CHECK(plain(packed) && packed.numel() > Fields && packed.data_ptr<float>()[Set] == (float)(int)ponder_isa_used(), "group_block: packed for other kernels than those in use");
    const Shapes s = shapes_of(packed.data_ptr<float>());
    TORCH_CHECK(index.device().is_cpu() && index.scalar_type() == torch::kLong && index.is_contiguous() && index.numel() > 4, "group_block: no index of groups");
    const int64_t *i = index.data_ptr<int64_t>();
    TORCH_CHECK(i[1] == s.kinds, "group_block: ", s.kinds, " kinds of weights, groups of ", i[1]);
    TORCH_CHECK(plain(z) && z.dim() == 3 && z.size(0) > 0 && z.size(2) == s.h && z.size(1) % i[0] == 0, "group_block: state ", z.sizes(), " for ", i[0], " cells of width ", s.h);
    TORCH_CHECK(settled.device().is_cpu() && settled.scalar_type() == torch::kLong && settled.is_contiguous() && settled.sizes() == torch::IntArrayRef({z.size(0), i[0]}), "group_block: settled ", settled.sizes(), " for ", z.size(0), " boards of ", i[0], " cells");
    TORCH_CHECK(plus_ || !too_, "group_block: the second of what is added, without the first");
    for (auto p : {std::make_pair(&plus, plus_), std::make_pair(&too, too_)}) {
      if (!p.second) continue;
      *p.first = of(p.second);
      TORCH_CHECK(p.first->sizes() == z.sizes() && plain(*p.first), "group_block: ", p.first->sizes(), " added to a state ", z.sizes());
    }
    auto grad = [](const Tensor &t) { return t.defined() && t.requires_grad(); };
    bool record = false;
    for (int j = 0; j < n && torch::GradMode::is_enabled(); j++) record = record || grad(of(weights[j]));
    if (torch::GradMode::is_enabled() && (record || grad(z) || grad(plus) || grad(too))) {
      std::vector<Tensor> flat;
      for (const Tensor &w : Given(weights, n).weights) flat.push_back(w.reshape(-1));
      auto maybe = [](const Tensor &t) { return t.defined() ? c10::optional<Tensor>(t) : c10::nullopt; };
      return GroupMix::apply(z, maybe(plus), maybe(too), torch::cat(flat), packed, index, settled, sums, all, eps);
    }
    auto whole = [](const Tensor &t) { return t.defined() ? t.detach().contiguous() : t; };
    Mix mix(s, index, settled, z.size(1) / settled.size(1), eps);
    return think(mix, packed, whole(z), whole(plus), whole(too), {});
  });
}
